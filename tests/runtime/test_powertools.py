"""`ctx.logger`, `ctx.tracer` and `ctx.metrics` where aws-lambda-powertools is off or missing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet import Context, Request
from routelet.app import App

RUNTIME = Path(__file__).parents[2] / "runtime"
MakeSite = Callable[..., Any]


@pytest.mark.parametrize("name", ["logger", "tracer", "metrics"])
def test_what_is_off_raises_and_says_how_it_is_switched_on(name: str) -> None:
    ctx = Context(App({"routes": []}), Request("/"))
    with pytest.raises(RuntimeError, match=rf"ctx\.{name} is off: .*`powertools = true`"):
        getattr(ctx, name)


def test_a_page_is_given_what_the_app_has(make_site: MakeSite) -> None:
    class Tools:
        logger, tracer, metrics = "log", "trace", "count"

    source = "def GET(ctx): return [ctx.logger, ctx.tracer, ctx.metrics]"
    site = make_site({"index.py": source})
    site.app.powertools = Tools()
    assert site.text("/") == '["log","trace","count"]'


def test_an_app_logs_where_its_host_says(
    make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make_site(
        {
            "index.py": "def GET(ctx): 1 / 0",
            "lost.py": "def GET(ctx): return ctx.rewrite('/nowhere')",
            "500.py": "async def GET(ctx): raise LookupError('no page')",
        }
    )
    told: list[str | Exception] = []
    site.app.log = told.append
    assert (site.status("/"), site.status("/lost")) == (500, 404)
    assert [type(one) for one in told] == [ZeroDivisionError, LookupError, str]
    assert capsys.readouterr().err == ""


def test_no_other_module_names_the_library() -> None:
    named = {
        str(file.relative_to(RUNTIME / "routelet"))
        for file in (RUNTIME / "routelet").rglob("*.py")
        if "aws_lambda_powertools" in file.read_text("utf-8")
    }
    assert named == {"powertools.py"}


def test_without_the_library_the_error_says_what_is_needed() -> None:
    script = f"import sys; sys.path.insert(0, {str(RUNTIME)!r}); import routelet.powertools"
    command = [sys.executable, "-I", "-S", "-B", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == "ImportError: powertools = true needs aws-lambda-powertools in dependencies"
