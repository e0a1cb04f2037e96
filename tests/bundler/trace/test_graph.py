"""The graph of a whole build: who needs what, as it is left in graph.json."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler import build
from routelet_bundler.model import Distribution, Edge
from routelet_bundler.render.graph_json import graph_from, graph_text
from routelet_bundler.trace.graph import _owned

Site = Callable[..., Path]
PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)
GET = "def GET(ctx):\n    return 'x'\n"


def graph_of(root: Path) -> dict[str, Any]:
    build(root)
    read: dict[str, Any] = json.loads((root / "dist/graph.json").read_text())
    return read


def test_edges_have_lines_and_kinds_and_are_there_once_for_all_functions(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/[id].py": "import lib.m\n" + GET,
            "src/pages/b.py": "\nfrom lib import m\n" + GET,
            "src/lib/m.py": "from pathlib import Path\n"
            "def f():\n    from lib.late import x\n"
            "T = Path(__file__).with_name('t.txt').read_text()\n",
            "src/lib/late.py": "x = 1\n",
            "src/lib/t.txt": "t",
        },
        pyproject=PYPROJECT,
    )
    graph = graph_of(root)
    assert graph["files"]["pages/_id_.py"] == [["lib/m.py", 1, "import"]]
    assert graph["files"]["pages/b.py"] == [["lib/m.py", 2, "import"]]
    assert graph["files"]["lib/m.py"] == [["lib/late.py", 3, "import"], ["lib/t.txt", 4, "data"]]
    assert graph["functions"]["b"] == [
        ["routelet/aws.py", 0, "entry"],
        ["pages/b.py", 0, "entry"],
    ]
    assert graph["labels"]["pages/_id_.py"] == "src/pages/[id].py"


def test_what_is_made_from_a_template_is_called_by_the_template(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": "def GET(ctx):\n    return ctx.render('layouts/a.jinja')\n",
            "src/pages/b.jinja": "<p>b</p>",
            "src/layouts/a.jinja": "{% include 'part.jinja' %}",
            "src/part.jinja": "p",
        },
        pyproject=PYPROJECT,
    )
    graph = graph_of(root)
    labels = graph["labels"]
    assert labels["site_templates/layouts_a_jinja.py"] == "src/layouts/a.jinja"
    assert labels["site_templates/pages_b_jinja.py"] == "src/pages/b.jinja"
    rows = graph["files"]["site_templates/layouts_a_jinja.py"]
    assert ["site_templates/part_jinja.py", 0, "import"] in rows  # no line of the generated module
    assert "jinja2" in graph["owns"]
    assert graph["requires"]["jinja2"] == ["markupsafe"]


def test_a_package_is_needed_by_the_module_in_it(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": "from lib.deep import m\n" + GET,
            "src/lib/__init__.py": "",
            "src/lib/deep/__init__.py": "",
            "src/lib/deep/m.py": "",
        },
        pyproject=PYPROJECT,
    )
    files = graph_of(root)["files"]
    assert files["pages/a.py"] == [["lib/deep/m.py", 1, "import"]]
    assert files["lib/deep/m.py"] == [["lib/deep/__init__.py", 0, "package"]]
    assert files["lib/deep/__init__.py"] == [["lib/__init__.py", 0, "package"]]


def test_include_and_exclude_are_told_of_the_function_that_has_them(write_site: Site) -> None:
    root = write_site(
        {
            "src/pages/a.py": 'config = {"include": ["lib/*.txt"], "exclude": ["lib/no.py"]}\n'
            "try:\n    import lib.no\nexcept ImportError:\n    pass\n" + GET,
            "src/lib/no.py": "",
            "src/lib/one.txt": "1",
        },
        pyproject=PYPROJECT,
    )
    graph = graph_of(root)
    assert ["lib/one.txt", 0, "include"] in graph["functions"]["a"]
    assert graph["excluded"] == {"a": ["lib/no.py"]}
    assert ["lib/no.py", 3, "import"] in graph["files"]["pages/a.py"]


def test_a_graph_is_read_as_it_was_written(write_site: Site) -> None:
    root = write_site({"src/pages/a.py": GET}, pyproject=PYPROJECT)
    build(root)
    text = (root / "dist/graph.json").read_text()
    graph = graph_from(text)
    assert graph.starts["a"][1] == Edge(target="pages/a.py", line=0, kind="entry")
    assert graph_text(graph) == text


def distribution(name: str, *files: str) -> Distribution:
    paths = tuple((file, Path(file)) for file in files)
    return Distribution(name=name, version="1", files=paths, requires=(), key=name)


@pytest.mark.parametrize(
    ("files", "owned"),
    [
        ({"one": ["one/a.py", "one/b/c.py", "one.py"]}, {"one": ("one", "one.py")}),
        (
            {"a": ["ns/a/x.py", "ns/a/y/z.py"], "b": ["ns/b.py", "ns/c/d.py"]},
            {"a": ("ns/a",), "b": ("ns/b.py", "ns/c")},
        ),
        ({"a": ["six.py"], "b": ["b.py"]}, {"a": ("six.py",), "b": ("b.py",)}),
    ],
)
def test_a_distribution_owns_the_outermost_folders_that_are_its_alone(
    files: Mapping[str, list[str]], owned: Mapping[str, tuple[str, ...]]
) -> None:
    installed = {name: distribution(name, *paths) for name, paths in files.items()}
    assert _owned(installed) == owned
