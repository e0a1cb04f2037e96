import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from routelet_bundler import build
from routelet_bundler.cli import main

PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\ndependencies = ["jinja2"]\n'
    '[tool.routelet]\noutput = "hybrid"\nadapter = "aws-lambda"\n'
)


@pytest.fixture
def site(write_site: Callable[..., Path]) -> Path:
    root = write_site(
        {
            "src/pages/[id].py": "prerender = False\nimport lib.m\ndef GET(ctx):\n    return 'x'\n",
            "src/pages/about.md": "# About",
            "src/lib/m.py": "import jinja2\n",
        },
        pyproject=PYPROJECT,
    )
    build(root)
    return root


def why(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["why", *arguments, "--root", str(root)])


def test_why_prints_a_sentence_for_each_link_from_the_page_on(site: Path) -> None:
    shown = why(site, "/[id]", "markupsafe")
    assert shown.exit_code == 0
    title, *chain = shown.stderr.splitlines()
    assert title.startswith("markupsafe ")
    assert " is in the zip of /[id]: " in title
    assert chain == [
        "  src/pages/[id].py answers /[id]",
        "  src/pages/[id].py:2 imports src/lib/m.py",
        "  src/lib/m.py:1 imports jinja2",
        "  jinja2 requires markupsafe",
    ]


def test_the_function_at_the_edge_is_asked_by_its_name(write_site: Callable[..., Path]) -> None:
    root = write_site(
        {
            "src/middleware.py": "import lib.m\ndef on_request(ctx, next):\n    return next()\n",
            "src/pages/a.py": "prerender = False\ndef GET(ctx):\n    return 'x'\n",
            "src/lib/m.py": "import jinja2\n",
        },
        pyproject=f"{PYPROJECT}adapters.aws-lambda.edge-middleware = true\n",
    )
    build(root)
    title, *chain = why(root, "middleware", "jinja2").stderr.splitlines()
    assert " is in the zip of middleware: " in title
    assert chain == [
        "  src/middleware.py is loaded when the function starts",
        "  src/middleware.py:1 imports src/lib/m.py",
        "  src/lib/m.py:1 imports jinja2",
    ]
    told = json.loads(why(root, "middleware", "jinja2", "--json").stdout)
    assert (told["state"], told["function"]) == ("shipped", "middleware")
    assert "it is in that of middleware" in why(root, "/a", "jinja2").stderr
    assert 'did you mean "middleware"?' in why(root, "midleware", "jinja2").stderr


def test_why_as_json_has_the_chain_alone_on_standard_output(site: Path) -> None:
    told = json.loads(why(site, "/[id]", "jinja2", "--json").stdout)
    assert (told["state"], told["name"], told["function"]) == ("shipped", "jinja2", "_id_")
    assert told["unzippedBytes"] > told["zippedBytes"] > 100_000
    assert told["chain"][-1] == {
        "from": "src/lib/m.py",
        "to": "jinja2",
        "kind": "import",
        "line": 1,
    }


def test_why_of_a_typo_or_of_a_prerendered_page_is_wrong_use(site: Path) -> None:
    typo = why(site, "/[id]", "jinja")
    assert (typo.exit_code, 'did you mean "jinja2"?' in typo.stderr) == (2, True)
    page = why(site, "/about", "jinja2")
    assert (page.exit_code, "is prerendered" in page.stderr) == (2, True)


def test_why_without_a_build_says_what_to_do_first(write_site: Callable[..., Path]) -> None:
    shown = why(write_site({}), "/", "x")
    assert (shown.exit_code, "run `routelet build` first" in shown.stderr) == (1, True)
