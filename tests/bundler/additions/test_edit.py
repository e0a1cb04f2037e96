import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.additions import Addition, Offer, addition_of
from routelet_bundler.additions.edit import edited
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Config

FLYBY = Offer(
    distribution="routelet-flyby",
    version="1.2",
    adapters=("flyby",),
    install="routelet-flyby",
    requirement="routelet-flyby>=1.2",
)
SITEMAP = Offer(distribution="routelet", version="1", integrations=("sitemap",))
ROBOTS = Offer(distribution="routelet", version="1", integrations=("robots",))


def added(text: str, *offers: Offer, root: Path = Path("/nowhere"), **config: Any) -> Addition:
    return addition_of(root, Config(**config), text, offers)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[tool.routelet]\nadapter = "flyby"\n'),
        (
            '[tool.routelet]  # ours\nbase="/a" # all\n\n# ruff\n[tool.ruff]\n',
            '[tool.routelet]  # ours\nbase="/a" # all\nadapter = "flyby"\n\n# ruff\n[tool.ruff]',
        ),
        (
            '[tool.routelet]\nadapter = "aws-lambda" # for now\nbase = "/a"\n',
            '[tool.routelet]\nadapter = "flyby" # for now\nbase = "/a"\n',
        ),
        (
            "[tool.routelet.adapters.flyby]\nport = 1\n",
            '[tool.routelet]\nadapter = "flyby"\n\n[tool.routelet.adapters.flyby]\nport = 1\n',
        ),
        (
            '[tool.routelet]\nbase = "/a"\n\n# of\n[tool.routelet.adapters.x]',
            '[tool.routelet]\nbase = "/a"\nadapter = "flyby"\n\n# of\n[tool.routelet.adapters.x]',
        ),
        (
            '# first\n[tool.routelet]\n# why this one\nadapter = "x"\n',
            '# first\n[tool.routelet]\n# why this one\nadapter = "flyby"\n',
        ),
        (
            "[tool]\nroutelet = { output = 'server' }\n",
            "[tool]\nroutelet = { output = 'server', adapter = \"flyby\"}\n",
        ),
        (
            "tool.routelet.output = 'server'\n",
            "tool.routelet.output = 'server'\ntool.routelet.adapter = \"flyby\"\n",
        ),
    ],
)
def test_an_adapter_is_set_and_all_else_stays(before: str, after: str) -> None:
    assert added(before, *shipped(FLYBY)).after.rstrip() == after.rstrip()


def shipped(*offers: Offer) -> list[Offer]:
    """Return offers that no requirement is written for."""
    return [
        Offer(
            distribution=one.distribution,
            version=one.version,
            adapters=one.adapters,
            integrations=one.integrations,
        )
        for one in offers
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'integrations = ["sitemap", "robots"]\n'),
        ("integrations = []\n", 'integrations = ["sitemap", "robots"]\n'),
        ("integrations = ['robots'] # all\n", "integrations = ['robots', \"sitemap\"] # all\n"),
        (
            'integrations = [\n  "a",  # first\n  "b"   # last\n]\n',
            'integrations = [\n  "a",  # first\n  "b",   # last\n  "sitemap",\n  "robots"\n]\n',
        ),
        ('integrations = ["robots", "sitemap"]\n', 'integrations = ["robots", "sitemap"]\n'),
    ],
)
def test_integrations_are_appended_once(before: str, after: str) -> None:
    head = '[tool.routelet]\nbase = "/a"\n'
    text = added(head + before, SITEMAP, ROBOTS).after
    assert text == head + after


def test_what_is_there_already_changes_nothing() -> None:
    text = (
        '[tool.routelet]\nintegrations = ["sitemap"]\nadapter = "flyby"\n\n'
        '[dependency-groups]\ndev = ["Routelet_Flyby ~= 1.0"]\n'
    )
    same = added(text, FLYBY, SITEMAP)
    assert (same.after, same.diff) == (text, ())


@pytest.mark.parametrize(
    "listed",
    [
        '[project]\ndependencies = ["routelet-flyby"]\n',
        '[project.optional-dependencies]\nflyby = ["routelet.flyby[x]>1"]\n',
        '[dependency-groups]\nbuild = [{ include-group = "dev" }, "routelet-flyby @ file:///x"]\n',
    ],
)
def test_what_the_project_requires_anywhere_is_not_required_again(listed: str) -> None:
    assert set(tomllib.loads(added(listed, FLYBY).after)) == {"tool", *tomllib.loads(listed)}
    assert added(listed, FLYBY).after.startswith(listed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[dependency-groups]\ndev = ["routelet-flyby>=1.2"]'),
        ('[dependency-groups]\ntest = ["x"]\n', 'test = ["x"]\ndev = ["routelet-flyby>=1.2"]\n'),
        (
            '[dependency-groups]\ndev = [\n    "pytest>=8", # tests\n]\n',
            'dev = [\n    "pytest>=8", # tests\n    "routelet-flyby>=1.2"',
        ),
    ],
)
def test_a_requirement_goes_to_the_group_of_what_only_builds_need(before: str, after: str) -> None:
    assert after in added(before, FLYBY).after


def local(path: Path) -> Offer:
    return Offer(
        distribution="routelet-flyby", version="1", adapters=("flyby",), install=".", path=path
    )


def test_a_path_is_named_to_uv_relative_to_the_site(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    (root / "uv.lock").write_text("")
    found = added("[tool.uv]\npackage = false\n", local(tmp_path / "a/x.whl"), root=root)
    assert tomllib.loads(found.after)["tool"]["uv"] == {
        "package": False,
        "sources": {"routelet-flyby": {"path": "../a/x.whl"}},
    }
    assert 'routelet-flyby = {path = "../a/x.whl"}' in found.after
    assert 'dev = ["routelet-flyby"]' in found.after
    assert found.relocks


def test_without_uv_a_path_is_not_written_and_that_is_said(tmp_path: Path) -> None:
    found = added('[tool.routelet]\noutput = "server"\n', local(tmp_path), root=tmp_path)
    assert str(tmp_path) not in found.after
    assert "dependency-groups" not in found.after
    assert any("no requirement that other machines" in one for one in found.warnings)
    assert not found.relocks


def test_the_lock_follows_only_where_requirements_change(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("")
    assert not added("", SITEMAP, root=tmp_path).relocks
    assert added("", FLYBY, root=tmp_path).relocks


def test_line_ends_stay_those_of_the_file() -> None:
    text = '[project]\r\nname = "s"\r\n\r\n[tool.routelet]\r\nbase = "/a"\r\n'
    after = added(text, FLYBY).after
    assert after.startswith(text)
    assert after.count("\n") == after.count("\r\n") > text.count("\r\n")


def test_mixed_line_ends_are_left_as_they_are() -> None:
    text = '[project]\r\nname = "s"\n\n[tool.routelet]\r\nbase = "/a"\n'
    assert added(text, FLYBY).after.startswith(text)


def test_a_replaced_adapter_and_a_static_site_are_warned_of() -> None:
    replaced = added("", FLYBY, adapter="aws-lambda", output="server")
    assert replaced.warnings == ('the adapter "aws-lambda" is replaced by "flyby"',)
    [static] = added("", FLYBY).warnings
    assert 'output is "static"' in static
    assert added("", FLYBY, adapter="flyby", output="hybrid").warnings == ()
    assert 'output = "' not in added("", FLYBY).after


def test_a_site_has_one_adapter() -> None:
    other = Offer(distribution="other", version="1", adapters=("moon",))
    with pytest.raises(RouteletError, match="one adapter, not flyby and moon") as told:
        added("", FLYBY, other)
    assert told.value.status == WRONG_USE


@pytest.mark.parametrize("text", ["dependency-groups = 3\n", '[dependency-groups]\ndev = "x"\n'])
def test_what_cannot_be_edited_is_said_and_not_written(text: str) -> None:
    with pytest.raises(RouteletError, match="cannot be edited") as told:
        added(text, FLYBY)
    assert told.value.where == "pyproject.toml"


def test_an_edit_that_the_text_does_not_have_is_noticed() -> None:
    with pytest.raises(RouteletError, match="cannot be edited"):
        edited("[tool.routelet]\n", lambda tables, row: tables.update(a=row is dict))


KEYS = st.sampled_from(["adapter", "output", "site", "base", "integrations", "x.y", "é"])
TEXTS = st.text("aé#\"'\\\n=[]", max_size=3)
VALUES = st.integers() | st.booleans() | TEXTS | st.lists(TEXTS, max_size=3)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | VALUES, max_size=3),
    max_leaves=4,
)


def toml(tables: Mapping[str, Any], *, above: tuple[str, ...], blank: str) -> str:
    """Return tables as TOML, each below a header of its own, with comments."""

    def said(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    name = ".".join(said(key) for key in above)
    lines = [f"[{name}] # {len(name)}"]
    inner = []
    for key, value in tables.items():
        if isinstance(value, dict):
            inner.append(toml(value, above=(*above, key), blank=blank))
        else:
            lines.append(f"{said(key)}={said(value)} # {key}")
    return "\n".join([*lines, blank, *inner])


@given(
    ours=TABLES,
    more=TABLES,
    order=st.permutations(["project", "ours", "adapters", "groups", "ruff"]),
    blank=st.sampled_from(["", "\n", "# a comment\n", "\n\n  # indented\n"]),
)
def test_any_file_keeps_its_lines_and_gets_what_is_added(
    ours: dict[str, Any], more: dict[str, Any], order: list[str], blank: str
) -> None:
    ours = {key: value for key, value in ours.items() if key not in {"adapter", "integrations"}}
    parts = {
        "project": toml({"name": "s"}, above=("project",), blank=blank),
        "ours": toml(ours, above=("tool", "routelet"), blank=blank),
        "adapters": toml(more, above=("tool", "routelet", "adapters", "flyby"), blank=blank),
        "groups": toml({"dev": ["a"]}, above=("dependency-groups",), blank=blank),
        "ruff": toml(more, above=("tool", "ruff"), blank=blank),
    }
    if "adapters" in ours:
        parts["adapters"] = ""
    text = "\n".join(parts[name] for name in order)
    after = added(text, FLYBY, SITEMAP).after
    wanted = tomllib.loads(text)
    wanted["tool"]["routelet"] |= {"adapter": "flyby", "integrations": ["sitemap"]}
    wanted["dependency-groups"]["dev"].append("routelet-flyby>=1.2")
    assert tomllib.loads(after) == wanted
    lines = iter(after.splitlines())
    kept = [line for line in text.splitlines() if line.strip() and '"dev"' not in line]
    assert [line for line in kept if line not in lines] == []  # in their order
