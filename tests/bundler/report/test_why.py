"""What a person may ask of a zip, and what is answered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Edge
from routelet_bundler.report.shipped import Shipped, ShippedSite
from routelet_bundler.report.why import Why, sentences, why

Make = Callable[..., Shipped]


def edge(target: str, line: int = 1, kind: str = "import") -> Edge:
    return Edge(target=target, line=line, kind=kind)


@pytest.fixture
def function(shipped: Make) -> Shipped:
    return shipped(
        {
            "pages/a.py": "",
            "lib/m.py": "",
            "lib/d.json": "{}",
            "lib/extra.py": "",
            "requests/api.py": "",
            "requests/__pycache__/api.cpython-311.pyc": "",
            "urllib3/__init__.py": "",
        },
        {
            "pages/a.py": [
                edge("lib/m.py", 3),
                edge("distribution:boto3", 9),
                edge("lib/out.py", 4),
            ],
            "lib/m.py": [edge("distribution:requests", 7), edge("lib/d.json", 8, "data")],
            "lib/out.py": [edge("lib/far.py", 2)],
            "pages/b.py": [edge("lib/other.py", 1)],
        },
        starts=[edge("pages/a.py", 0, "entry"), edge("lib/extra.py", 0, "include")],
        requires={"requests": ("urllib3",)},
        owns={
            "requests": ("requests",),
            "urllib3": ("urllib3",),
            "boto3": ("boto3",),
            "brotli": ("brotli.py",),
        },
        omitted={"brotli": "urllib3/response.py"},
        provided=("boto3", "six"),
        excluded=("lib/out.py",),
    )


def asked(function: Shipped, name: str, root: Path = Path()) -> Why:
    site = ShippedSite(functions={"a": function}, routes={"/a": "a", "/home": None})
    return why(site, "/a", name, (root, root / "src"))


@pytest.mark.parametrize(
    "name",
    ["urllib3", "URLLIB3", "urllib3/__init__.py", "urllib3.util"],
)
def test_a_distribution_is_told_by_its_name_its_files_and_its_modules(
    function: Shipped, name: str
) -> None:
    found = asked(function, name)
    assert (found.label, found.state) == ("urllib3", "shipped")
    assert sentences(found, function) == [
        "src/pages/a.py answers /a",
        "src/pages/a.py:3 imports src/lib/m.py",
        "src/lib/m.py:7 imports requests",
        "requests requires urllib3",
    ]


@pytest.mark.parametrize("name", ["lib/d.json", "src/lib/d.json", "./src/lib/d.json"])
def test_a_file_is_told_by_its_path_in_the_zip_and_below_the_site(
    function: Shipped, name: str
) -> None:
    found = asked(function, name)
    assert sentences(found, function)[-1] == "src/lib/m.py:8 reads src/lib/d.json"
    assert found.size == function.sizes["lib/d.json"]


@pytest.mark.parametrize("name", ["lib.m", "lib/m.py", "src/lib/m.py"])
def test_a_module_is_told_by_its_dotted_name(function: Shipped, name: str) -> None:
    assert asked(function, name).part == "lib/m.py"


def test_a_file_of_a_distribution_says_that_it_comes_whole(function: Shipped) -> None:
    for name in ("requests/api.py", "requests.api", "requests/__pycache__/api.cpython-311.pyc"):
        found = asked(function, name)
        assert found.label == "requests"
        assert found.note.endswith(" is a file of it")


def test_a_file_that_was_left_out_of_a_distribution_says_so(function: Shipped) -> None:
    for name in ("requests/tests/test_api.py", "requests.tests"):
        found = asked(function, name)
        assert (found.label, found.state) == ("requests", "shipped")
        assert found.note == f"{name} is not among its files in the zip"


def test_an_optional_distribution_that_is_left_out_says_how_to_pack_it(function: Shipped) -> None:
    found = asked(function, "brotli")
    assert (found.state, found.chain) == ("omitted", ())
    assert found.note == (
        'urllib3/response.py imports it, and does without it; include = ["brotli"] packs it'
    )


def test_a_template_is_used(shipped: Make) -> None:
    function = shipped(
        {"pages/a.py": "", "site_templates/a_jinja.py": ""},
        {"pages/a.py": [edge("site_templates/a_jinja.py", 5)]},
    )
    labels = {**function.graph.labels, "site_templates/a_jinja.py": "src/a.jinja"}
    function = replace(function, graph=replace(function.graph, labels=labels))
    assert sentences(asked(function, "a.jinja"), function)[-1] == (
        "src/pages/a.py:5 uses src/a.jinja"
    )


def test_what_is_included_says_so(function: Shipped) -> None:
    found = asked(function, "lib/extra.py")
    assert sentences(found, function) == ['src/lib/extra.py is named by include = ["..."]']


def test_what_the_host_has_is_left_out_on_purpose(function: Shipped) -> None:
    found = asked(function, "boto3")
    assert (found.state, found.size.unzipped) == ("provided", 0)
    assert sentences(found, function)[-1] == "src/pages/a.py:9 imports boto3"
    assert "left to the host" in found.note


def test_what_the_host_has_beside_it_is_known_too(function: Shipped) -> None:
    found = asked(function, "six")
    assert (found.state, found.chain) == ("provided", ())


def test_a_chain_begins_with_the_page_that_was_asked_for_where_it_leads_there(
    shipped: Make,
) -> None:
    function = shipped(
        {"pages/a.py": "", "pages/b.py": "", "lib/m.py": "", "lib/n.py": "", "lib/o.py": ""},
        {
            "pages/a.py": [edge("lib/m.py", 1), edge("lib/o.py", 2)],
            "pages/b.py": [edge("lib/n.py", 3)],
            "lib/n.py": [edge("lib/m.py", 4)],
        },
        starts=[edge("pages/a.py", 0, "entry"), edge("pages/b.py", 0, "entry")],
    )
    both = replace(function, routes=("/a", "/b"), pages=("src/pages/a.py", "src/pages/b.py"))
    site = ShippedSite(functions={"a": both}, routes={"/a": "a", "/b": "a"})
    own, other = (why(site, "/b", name, ()) for name in ("lib.m", "lib.o"))
    assert sentences(own, both)[0] == "src/pages/b.py answers /b"
    assert sentences(other, both)[0] == "src/pages/a.py answers /a"


def test_what_exclude_names_is_left_out_on_purpose_and_all_behind_it(function: Shipped) -> None:
    found = asked(function, "lib/out.py")
    assert (found.state, found.note) == ("excluded", 'left out by exclude = "lib/out.py"')
    behind = asked(function, "lib.far")
    assert (behind.state, behind.note) == ("excluded", "needed by what is left out")


def test_a_file_of_another_function_is_not_reached_from_here(function: Shipped) -> None:
    found = asked(function, "lib/other.py")
    assert (found.state, found.chain) == ("not reached", ())


@pytest.mark.parametrize("name", ["src/lib/unused.py", "lib/unused.py", "lib.unused"])
def test_a_file_of_the_site_that_no_function_reaches_is_told(
    function: Shipped, tmp_path: Path, name: str
) -> None:
    (tmp_path / "src/lib").mkdir(parents=True)
    (tmp_path / "src/lib/unused.py").touch()
    found = asked(function, name, tmp_path)
    assert (found.state, found.size.zipped) == ("not reached", 0)
    assert found.label.endswith("lib/unused.py")


@pytest.mark.parametrize("name", ["json", "os.path", "asyncio"])
def test_the_standard_library_is_told_as_that_of_the_host(function: Shipped, name: str) -> None:
    found = asked(function, name)
    assert found.state == "provided"
    assert "of the standard library of Python 3.11" in found.note


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("requets", 'did you mean "requests"?'),
        ("lib/mm.py", 'did you mean "lib/m.py"?'),
        ("xyzzy", "name a file of the site, a module, or a distribution"),
    ],
)
def test_an_unknown_name_gets_the_nearest_that_is_known(
    function: Shipped, name: str, mend: str
) -> None:
    with pytest.raises(RouteletError) as raised:
        asked(function, name)
    assert raised.value.status == WRONG_USE
    assert raised.value.mend == mend


@pytest.mark.parametrize(
    ("route", "mend"),
    [("/b", 'did you mean "/a"?'), ("/home", ""), ("/nothing-like-it", "`routelet")],
)
def test_a_route_without_a_function_is_wrong_use(function: Shipped, route: str, mend: str) -> None:
    site = ShippedSite(functions={"a": function}, routes={"/a": "a", "/home": None})
    with pytest.raises(RouteletError) as raised:
        why(site, route, "lib.m", ())
    assert raised.value.status == WRONG_USE
    assert raised.value.mend.startswith(mend)
