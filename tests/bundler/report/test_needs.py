"""Chains and cuts of one function, and a slow search for the same that has to agree."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routelet_bundler.model import Edge
from routelet_bundler.report.needs import chain_to, cuts_of, edges_of, reachable
from routelet_bundler.report.shipped import Shipped

Make = Callable[..., Shipped]
ENTRY = "pages/entry_a.py"
LETTERS = "bcdefgh"


def edge(target: str, line: int = 1, kind: str = "import") -> Edge:
    return Edge(target=target, line=line, kind=kind)


def files(*names: str) -> dict[str, str]:
    return {f"lib/{name}.py": name * 100 for name in names} | {"pages/a.py": "a"}


def needs(**edges: Sequence[str]) -> dict[str, list[Edge]]:
    """Return edges between modules by their letters; `a` is the page."""
    place = {"a": "pages/a.py"}
    return {
        place.get(source, f"lib/{source}.py"): [
            edge(place.get(target, f"lib/{target}.py"), line)
            for line, target in enumerate(found, 1)
        ]
        for source, found in edges.items()
    }


def chain(function: Shipped, target: str) -> list[str]:
    found = chain_to(target, edges_of(function), ENTRY)
    return [f"{link.source}:{link.edge.line}" for link in found]


def test_a_chain_is_the_shortest_and_names_the_lines(shipped: Make) -> None:
    function = shipped(files(*"bcd"), needs(a="bc", b="d", c="b", d="a"))
    assert chain(function, "lib/d.py") == [f"{ENTRY}:0", "pages/a.py:1", "lib/b.py:1"]


def test_nothing_leads_to_what_is_not_in_the_zip(shipped: Make) -> None:
    function = shipped(files("b"), needs(a="bx"))
    assert chain(function, "lib/x.py") == []
    assert [one.target for one in edges_of(function)["pages/a.py"]] == ["lib/b.py"]


def test_a_part_that_nothing_is_known_to_need_hangs_on_the_entry(shipped: Make) -> None:
    function = shipped(files(*"bz"), needs(a="b"))
    (link,) = chain_to("lib/z.py", edges_of(function), ENTRY)
    assert (link.source, link.edge.kind) == (ENTRY, "other")


def test_the_first_cut_frees_all_that_is_reached_through_it_alone(shipped: Make) -> None:
    function = shipped(files(*"bcde"), needs(a="bc", b="de", c="e", d="e"))
    first, second, third = cuts_of(function, edges_of(function), 9)
    assert (first.source, first.target, first.line) == ("pages/a.py", "lib/b.py", 1)
    assert set(first.frees) == {"lib/b.py", "lib/d.py"}  # c needs e as well
    assert first.size == function.sizes["lib/b.py"] + function.sizes["lib/d.py"]
    assert {second.target, third.target} == {"lib/c.py", "lib/d.py"}
    assert third.size.zipped <= second.size.zipped <= first.size.zipped


def test_a_cut_counts_bytecode_and_the_distributions_behind_it(shipped: Make) -> None:
    function = shipped(
        {
            **files("b"),
            "lib/__pycache__/b.cpython-311.pyc": "x" * 999,
            "one/x.py": "y",
            "two.py": "",
        },
        {"pages/a.py": [edge("lib/b.py")], "lib/b.py": [edge("distribution:one", 7)]},
        requires={"one": ("two",)},
        owns={"one": ("one",), "two": ("two.py",)},
    )
    first, second = cuts_of(function, edges_of(function), 9)
    assert set(first.frees) == {"lib/b.py", "distribution:one", "distribution:two"}
    assert first.size.unzipped == 100 + 999 + 1
    assert (second.source, second.target, second.line) == ("lib/b.py", "distribution:one", 7)


def test_a_package_goes_with_the_last_module_of_it(shipped: Make) -> None:
    function = shipped(
        {"pages/a.py": "", "lib/__init__.py": "i" * 50, "lib/m.py": "m"},
        {
            "pages/a.py": [edge("lib/m.py", 3)],
            "lib/m.py": [edge("lib/__init__.py", 0, "package")],
        },
    )
    (cut,) = cuts_of(function, edges_of(function), 9)
    assert (cut.source, cut.target) == ("pages/a.py", "lib/m.py")
    assert set(cut.frees) == {"lib/__init__.py", "lib/m.py"}


def test_edges_of_the_runtime_and_of_the_entry_are_nobody_s_to_cut(shipped: Make) -> None:
    function = shipped(
        {"pages/a.py": "", "routelet/app.py": "x" * 500, "routelet/http.py": "y" * 500},
        {"routelet/app.py": [edge("routelet/http.py")], "pages/a.py": []},
        starts=[edge("routelet/app.py", 0, "entry"), edge("pages/a.py", 0, "entry")],
    )
    assert cuts_of(function, edges_of(function), 9) == ()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    graph=st.dictionaries(
        st.sampled_from("a" + LETTERS), st.lists(st.sampled_from("a" + LETTERS), max_size=4)
    )
)
def test_a_cut_frees_exactly_what_cannot_be_reached_without_it(
    shipped: Make, graph: Mapping[str, Any]
) -> None:
    function = shipped(files(*LETTERS), needs(**graph))
    edges = edges_of(function)
    whole = reachable(edges, ENTRY)
    for cut in cuts_of(function, edges, 99):
        left = {
            source: [one for one in found if (source, one.target) != (cut.source, cut.target)]
            for source, found in edges.items()
        }
        assert set(cut.frees) == whole - reachable(left, ENTRY)
