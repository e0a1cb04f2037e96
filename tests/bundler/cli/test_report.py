import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from routelet_bundler import build
from routelet_bundler.cli import main

PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\ndependencies = ["jinja2"]\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)
FILES = {
    "src/pages/[id].py": "import lib.m\ndef GET(ctx):\n    return 'x'\n",
    "src/pages/b.py": "import lib.m\ndef GET(ctx):\n    return 'x'\n",
    "src/pages/c.py": "import lib.n\ndef GET(ctx):\n    return 'x'\n",
    "src/lib/m.py": "import jinja2\n",
    "src/lib/n.py": "import wave\n",
}


@pytest.fixture
def site(write_site: Callable[..., Path]) -> Path:
    root = write_site(FILES, pyproject=PYPROJECT)
    build(root)
    return root


def report(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", "--root", str(root), *arguments])


def test_a_report_is_one_page_with_its_data_in_it(site: Path) -> None:
    shown = report(site)
    assert shown.exit_code == 0
    assert f"wrote {site}/dist/report.html" in shown.stderr
    html = (site / "dist/report.html").read_text()
    block = html.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(block) == json.loads(report(site, "--json").stdout)


def test_the_function_at_the_edge_is_one_of_them(write_site: Callable[..., Path]) -> None:
    middleware = "import wave\ndef on_request(ctx, next):\n    return next()\n"
    edge = f"{PYPROJECT}adapters.aws-lambda.edge-middleware = true\n"
    root = write_site({**FILES, "src/middleware.py": middleware}, pyproject=edge)
    build(root)
    (root / "src/middleware.py").write_text(middleware.replace("wave", "lib.n"))
    build(root)
    data = json.loads(report(root, "--json").stdout)
    one = next(one for one in data["functions"] if one["name"] == "middleware")
    assert one["routes"] == ["middleware"]
    assert "wave" in {data["modules"][row[0]] for row in one["start"]["rows"]}
    assert {file for file, *_ in one["change"]["files"]} == {"src/middleware.py", "src/lib/n.py"}


def test_the_data_has_sizes_starts_cuts_and_what_is_shared(site: Path) -> None:
    data = json.loads(report(site, "--json").stdout)
    manifest = json.loads((site / "dist/routelet.json").read_text())
    sizes = {one["name"]: one["zippedBytes"] for one in manifest["functions"]}
    assert {one["name"]: one["zipped"] for one in data["functions"]} == sizes
    first, _, last = data["functions"]
    assert (last["name"], data["compared"], data["removed"]) == ("c", False, [])
    kinds = [(data["parts"][one]["kind"], data["parts"][one]["tree"][0]) for one in first["parts"]]
    assert kinds == [
        ("site", "the site's own"),
        ("runtime", "routelet runtime"),
        ("distribution", "jinja2"),
        ("distribution", "markupsafe"),
    ]
    assert (first["cuts"][0]["file"], first["cuts"][0]["target"]) == (
        first["pages"][0],
        "src/lib/m.py",
    )
    assert set(first["cuts"][0]["frees"]) == {"src/lib/m.py", "jinja2", "markupsafe"}
    imported = {data["modules"][row[0]] for row in first["start"]["rows"]}
    assert {"jinja2", "lib.m"} <= imported
    assert sum(row[2] for row in first["start"]["rows"]) <= first["start"]["us"]
    shared = {one["name"]: one["functions"] for one in data["shared"]}
    assert (shared["jinja2"], shared["routelet runtime"], shared["src/lib/m.py"]) == (2, 3, 2)
    assert "src/lib/n.py" not in shared


def test_parts_that_functions_share_are_there_once(site: Path) -> None:
    data = json.loads(report(site, "--json").stdout)
    names = [part["tree"][0] for part in data["parts"] if part["kind"] == "distribution"]
    assert sorted(names) == ["jinja2", "markupsafe"]
    assert len(data["modules"]) == len(set(data["modules"]))


def test_a_function_of_another_machine_is_told_as_not_measured(
    write_site: Callable[..., Path],
) -> None:
    options = "adapters.aws-lambda.architecture = 'arm64'\n"
    root = write_site({"src/pages/c.py": "def GET(ctx):\n    return 'x'\n"}, PYPROJECT + options)
    build(root)
    (one,) = json.loads(report(root, "--json").stdout)["functions"]
    assert one["start"]["failure"].startswith("built for arm64")


@pytest.mark.parametrize("files", [{}, {"src/pages/a.md": "# A"}])
def test_a_site_without_functions_has_no_report(
    write_site: Callable[..., Path], files: dict[str, str]
) -> None:
    root = write_site(files, pyproject='[project]\nname = "s"\nversion = "1"\n')
    if files:
        build(root)
    shown = report(root)
    assert shown.exit_code == 1
    told = "has no functions" if files else "run `routelet build` first"
    assert told in shown.stderr
