"""Rewrites from one function to the page of another: built, and answered by the emulator."""

from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import build
from routelet_bundler.emulator import Emulator
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Build

Site = Callable[..., Path]

PROJECT = '[project]\nname = "site"\nversion = "1"\n'
SERVER = '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
PAGE = "def GET(ctx):\n    return {'page': __name__, 'params': ctx.params}\n"


def rewriting(target: str) -> str:
    return f"def GET(ctx):\n    return ctx.rewrite({target})\n"


@pytest.fixture
def built(write_site: Site) -> Callable[..., Build]:
    def build_site(files: dict[str, str], config: str = "") -> Build:
        return build(
            write_site({f"src/{n}": t for n, t in files.items()}, PROJECT + SERVER + config)
        )

    return build_site


def routes_in(made: Build, name: str) -> list[str]:
    [one] = [one for one in made.functions if one.name == name]
    modules = {file.archive for file in one.function.traced.files}
    return sorted(module for module in modules if module.startswith("pages/"))


def told_in(made: Build, part: str) -> list[str]:
    return [warning for warning in made.warnings if part in warning]


def test_a_rewrite_brings_the_page_of_another_function_along(built: Callable[..., Build]) -> None:
    made = built(
        {
            "pages/a.py": rewriting("'/b/7?x=1'"),
            "pages/b/[id].py": PAGE,
            "pages/other.py": PAGE,
        }
    )
    assert routes_in(made, "a") == ["pages/a.py", "pages/b/_id_.py"]
    assert routes_in(made, "b__id_") == ["pages/b/_id_.py"]
    assert set(made.entry_points) == {"/a", "/b/[id]", "/other"}
    assert [one.function.routes for one in made.functions if one.name == "a"] == [("/a",)]
    assert told_in(made, "rewrite") == []
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/a").json() == {"page": "pages.b._id_", "params": {"id": "7"}}
        assert lambda_.get("/b/8").json()["params"] == {"id": "8"}


def test_a_rewrite_from_page_to_page_to_page_is_followed(built: Callable[..., Build]) -> None:
    made = built(
        {
            "pages/a.py": "from lib import GET\n",
            "lib.py": rewriting("'/b'"),
            "pages/b.py": rewriting("'/c'"),
            "pages/c.py": PAGE,
        }
    )
    assert routes_in(made, "a") == ["pages/a.py", "pages/b.py", "pages/c.py"]
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/a").json()["page"] == "pages.c"


def test_what_the_middleware_rewrites_to_is_in_every_function(built: Callable[..., Build]) -> None:
    middleware = (
        "def on_request(ctx, next):\n"
        "    return next('/down') if 'down' in ctx.url.query else next()\n"
    )
    page = "def GET(ctx): return ctx.render('down.jinja')"
    made = built({"middleware.py": middleware, "pages/a.py": PAGE, "pages/down.py": page,
                  "down.jinja": "down"})  # fmt: skip
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/a").json()["page"] == "pages.a"
        assert lambda_.get("/a?down").text == "down"


def test_a_path_that_is_put_together_brings_what_it_may_lead_to(
    built: Callable[..., Build],
) -> None:
    made = built(
        {
            "pages/[lang]/a.py": rewriting("f'/items/{ctx.params[\"lang\"]}'"),
            "pages/items/[id=int].py": PAGE,
            "pages/items/[slug].py": PAGE,
        }
    )
    assert routes_in(made, "_lang__a") == [
        "pages/_lang_/a.py",
        "pages/items/_id_int_.py",
        "pages/items/_slug_.py",
    ]


def test_a_rewrite_to_a_prerendered_page_names_both_files(built: Callable[..., Build]) -> None:
    with pytest.raises(RouteletError) as told:
        built(
            {"pages/a.py": rewriting("'/about'"), "pages/about.md": "---\nprerender: true\n---\n"}
        )
    assert told.value.where == "src/pages/a.py:2"
    assert told.value.what == "rewrites to /about, which is prerendered: no function has it"
    assert told.value.mend == "set prerender = False in src/pages/about.md, or redirect there"


def test_a_rewrite_to_no_page_is_warned_of(built: Callable[..., Build]) -> None:
    made = built({"pages/a.py": rewriting("'/nowhere'")})
    assert made.warnings[0] == "src/pages/a.py:2: rewrites to /nowhere, which no page answers"


def test_a_rewrite_that_is_only_known_when_it_runs_is_settled_by_include(
    built: Callable[..., Build],
) -> None:
    page = rewriting("ctx.url.query")
    files = {"pages/a.py": page, "pages/b/[id].py": PAGE}
    made = built(files)
    [warning] = told_in(made, "src/pages/a.py:2")
    assert 'include = ["pages/b/[id].py"]' in warning
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/a?/b/1").status == 404
    files["pages/a.py"] = f"config = {{'include': ['pages/b/[id].py']}}\n{page}"
    made = built(files)
    assert told_in(made, "src/pages/a.py") == told_in(made, "matches no file") == []
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/a?/b/1").json()["params"] == {"id": "1"}


def test_what_is_called_next_and_is_no_path_rewrites_nothing(built: Callable[..., Build]) -> None:
    made = built({"pages/a.py": f"x = next(iter('/b'), '/b')\n{PAGE}", "pages/b.py": PAGE})
    assert routes_in(made, "a") == ["pages/a.py"]
    assert told_in(made, "rewrite") == []


def test_one_function_for_all_has_every_page_already(built: Callable[..., Build]) -> None:
    single = "[tool.routelet.adapters.aws-lambda]\nfunction-per-route = false\n"
    made = built({"pages/a.py": rewriting("ctx.url.query"), "pages/b.py": PAGE}, single)
    assert told_in(made, "a.py") == []
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/a?/b").json()["page"] == "pages.b"
