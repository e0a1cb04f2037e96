"""Which optional distributions come along, and which are told to be left out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from routelet_bundler.model import RouteConfig, Target, Traced
from routelet_bundler.trace import companions

Trace = Callable[..., Traced]
Installed = Any

USES_LIB = {"main.py": "import lib\n"}
GUARDED = "try:\n    import x\nexcept ImportError:\n    x = None\n"
IN_A_FUNCTION = "def f():\n    import x\n"
EXTRA = ("x; extra == 'more'",)
USES_BOTH = {"main.py": "import lib\n", "other.py": "import x\n"}
"""The function imports `lib`; `x` is imported by another, so that it is no driver."""


def packed(traced: Traced) -> set[str]:
    return {one.name for one, _ in traced.distributions}


def omitted(traced: Traced) -> set[str]:
    return {one.name for one in traced.omitted}


@pytest.fixture
def lib(installed: Installed) -> Callable[..., None]:
    """Return a function that installs `lib` with a source, and `x`."""

    def install(source: str, requires: tuple[str, ...] = EXTRA, **more: str) -> None:
        files = {f"lib/{name}.py": text for name, text in more.items()}
        installed.add("lib", {"lib/__init__.py": source, **files}, requires=requires)
        installed.add("x", {"x/__init__.py": ""})

    return install


@pytest.fixture
def choose(trace: Trace, target: Target) -> Trace:
    """Return a function that traces `main` under a policy, with both as requirements."""

    def chosen(wanted: Any, files: dict[str, str] = USES_BOTH, **options: Any) -> Traced:
        given: dict[str, Any] = {"dependencies": ["lib", "x"], **options}
        return trace(files, target=replace(target, companions=wanted), **given)

    return chosen


@pytest.mark.parametrize(
    ("source", "policies"),
    [
        ("import x\n", {"reached", "all"}),
        (IN_A_FUNCTION, {"reached", "all"}),
        (GUARDED, {"reached", "all"}),
        ("import_optional('x')\n", {"all"}),
    ],
)
def test_a_companion_comes_by_the_strength_of_its_edge(
    lib: Callable[..., None], choose: Trace, source: str, policies: set[str]
) -> None:
    lib(source)
    for policy in ("declared", "reached", "all"):
        traced = choose(policy)
        assert ("x" in packed(traced)) is (policy in policies), policy
        assert ("x" in omitted(traced)) is (policy not in policies), policy


def test_where_a_missing_module_is_expected_only_a_small_one_comes(
    lib: Callable[..., None], choose: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib(GUARDED)
    monkeypatch.setattr(companions, "SMALL_BYTES", 3)
    traced = choose("reached")
    assert (packed(traced), omitted(traced)) == ({"lib"}, {"x"})


@pytest.mark.parametrize("requires", [(), ("x; extra == 'tests'",)])
def test_one_that_no_extra_for_users_lists_is_left_out(
    lib: Callable[..., None], choose: Trace, requires: tuple[str, ...]
) -> None:
    lib("import x\n", requires)
    traced = choose("reached")
    assert (packed(traced), omitted(traced)) == ({"lib"}, {"x"})


def test_one_that_the_project_does_not_require_is_left_out(
    lib: Callable[..., None], choose: Trace
) -> None:
    lib("import x\n")
    assert packed(choose("reached", dependencies=["lib"])) == {"lib"}
    assert packed(choose("all", dependencies=["lib"])) == {"lib", "x"}


def test_a_module_that_is_not_reached_brings_nothing(
    lib: Callable[..., None], choose: Trace
) -> None:
    lib("", unused="import x\n")
    assert (packed(choose("all")), omitted(choose("all"))) == ({"lib", "x"}, set())
    files = {"main.py": "import lib\n", "other.py": "import x\n"}
    traced = choose("reached", files)
    assert (packed(traced), omitted(traced)) == ({"lib"}, set())


def test_a_module_that_only_strings_name_brings_nothing_but_is_told(
    lib: Callable[..., None], choose: Trace
) -> None:
    lib("PLUGINS = ['lib.plugin.Plugin']\n", plugin="import x\n")
    traced = choose("reached")
    assert (packed(traced), omitted(traced)) == ({"lib"}, {"x"})
    (told,) = traced.omitted
    assert (told.modules, told.parent) == (("x",), "lib/plugin.py")


def test_modules_that_an_import_is_known_to_begin_like_are_reached(
    lib: Callable[..., None], choose: Trace
) -> None:
    lib("def load(name):\n    return __import__('lib.%s' % name)\n", plugin="import x\n")
    assert packed(choose("reached")) == {"lib", "x"}


def test_companions_have_companions(
    lib: Callable[..., None], choose: Trace, installed: Installed
) -> None:
    lib("import x\n")
    installed.add("x", {"x/__init__.py": "import y\n"}, requires=["y; extra == 'fast'", "z"])
    installed.add("y", {"y.py": ""})
    installed.add("z", {"z.py": ""})
    files = {**USES_BOTH, "third.py": "import y\n"}
    traced = choose("reached", files, dependencies=["lib", "x", "y"])
    assert packed(traced) == {"lib", "x", "y", "z"}
    reasons = {one.name: str(reason) for one, reason in traced.distributions}
    assert reasons["x"] == "requires by lib"
    assert reasons["y"] == "requires by x"


class TestDrivers:
    """What no local file imports is there for another distribution."""

    @pytest.mark.parametrize("source", ["import x\n", GUARDED, "import_optional('x')\n"])
    def test_any_edge_of_any_module_brings_one(
        self, lib: Callable[..., None], choose: Trace, source: str
    ) -> None:
        lib("", (), unused=source)
        assert packed(choose("declared", USES_LIB)) == {"lib", "x"}

    def test_a_plug_in_comes_with_the_distribution_that_it_announces_itself_to(
        self, lib: Callable[..., None], choose: Trace, installed: Installed
    ) -> None:
        lib("", ())
        entry_points = "[lib.dialects]\nx = x:dialect\n"
        installed.add("x", {"x/__init__.py": "", "x-1.0.dist-info/entry_points.txt": entry_points})
        assert packed(choose("declared", USES_LIB)) == {"lib", "x"}

    def test_without_any_edge_it_stays_out(self, lib: Callable[..., None], choose: Trace) -> None:
        lib("", ())
        assert packed(choose("reached", USES_LIB)) == {"lib"}

    def test_time_zones_come_for_zoneinfo(self, choose: Trace, installed: Installed) -> None:
        installed.add("tzdata", {"tzdata/__init__.py": ""})
        files = {"main.py": "from zoneinfo import ZoneInfo\n"}
        assert packed(choose("declared", files, dependencies=["tzdata"])) == {"tzdata"}
        assert packed(choose("reached", files, dependencies=[])) == set()


class TestStrings:
    """A string of local code that names a requirement is an import of it."""

    @pytest.mark.parametrize(
        "source",
        [
            "patch(['x'])\n",
            "version('X')\n",
            "APPS = ['x.contrib.auth']\n",
            "engine = create('lib+x://host')\n",
            "broker = f'x://{host}'\n",
        ],
    )
    def test_it_brings_the_distribution(
        self, lib: Callable[..., None], choose: Trace, source: str
    ) -> None:
        lib("", ())
        assert "x" in packed(choose("declared", {"main.py": source}))

    @pytest.mark.parametrize("source", ["{'x': 1}\n", "event['x']\n", "'an x here'\n", "'y'\n"])
    def test_a_key_or_a_text_does_not(
        self, lib: Callable[..., None], choose: Trace, source: str
    ) -> None:
        lib("", ())
        assert packed(choose("declared", {"main.py": source})) == set()

    def test_a_package_that_it_names_is_reached_with_its_modules(
        self, lib: Callable[..., None], choose: Trace, installed: Installed
    ) -> None:
        lib("", EXTRA)
        files = {"lib/__init__.py": "", "lib/db/__init__.py": "", "lib/db/base.py": "import x\n"}
        installed.add("lib", files, requires=EXTRA)
        local = {"main.py": "ENGINE = 'lib.db'\n", "other.py": "import x\n"}
        assert omitted(choose("reached", local)) == {"x"}


class TestHints:
    """pandas imports what a format needs when it is asked for: local code tells."""

    @pytest.mark.parametrize(
        ("source", "found"),
        [
            ("frame.to_parquet(path)", {"pandas", "pyarrow"}),
            ("frame.groupby('a')", {"pandas"}),
        ],
    )
    def test_words_of_local_code_decide(
        self, trace: Trace, installed: Installed, source: str, found: set[str]
    ) -> None:
        reads = "def to_parquet(x):\n    import_optional_dependency('pyarrow')\n"
        installed.add("pandas", {"pandas/__init__.py": reads})
        installed.add("pyarrow", {"pyarrow/__init__.py": ""})
        traced = trace(
            {"main.py": f"import pandas\n{source}\n", "other.py": "import pyarrow\n"},
            dependencies=["pandas", "pyarrow"],
        )
        assert packed(traced) == found
        assert omitted(traced) == {"pyarrow"} - found


def test_what_is_included_by_name_is_reached(lib: Callable[..., None], choose: Trace) -> None:
    lib("import x\n")
    files = {"main.py": "", "other.py": "import x\n"}
    traced = choose("reached", files, config=RouteConfig(include=("lib",)))
    assert packed(traced) == {"lib", "x"}


def test_what_is_excluded_is_told_as_left_out(lib: Callable[..., None], choose: Trace) -> None:
    lib("import x\n", ("x",))
    traced = choose("reached", config=RouteConfig(exclude=("x",)))
    assert (packed(traced), omitted(traced)) == ({"lib"}, {"x"})


def test_the_same_question_has_the_same_answer(lib: Callable[..., None], choose: Trace) -> None:
    lib("import x\n")
    assert choose("reached") == choose("reached")


def test_with_one_of_an_extra_the_rest_of_it_comes(
    lib: Callable[..., None], choose: Trace, installed: Installed
) -> None:
    extra = ("x; extra == 'more'", "helper; extra == 'more'")
    lib("PLUGINS = ['lib.plugin.Plugin']\n", extra, plugin="import x, helper\n")
    installed.add("helper", {"helper.py": ""})
    assert packed(choose("reached")) == {"lib"}
    with_x = choose("reached", {"main.py": "import lib, x\n", "other.py": "import helper\n"})
    assert packed(with_x) == {"lib", "x", "helper"}


def test_a_plug_in_that_local_code_names_is_reached(choose: Trace, installed: Installed) -> None:
    entry_points = "[lib.extensions]\nhilite = lib.hilite:Extension\n"
    files = {"lib/__init__.py": "", "lib/hilite.py": GUARDED}
    installed.add("lib", {**files, "lib-1.0.dist-info/entry_points.txt": entry_points})
    installed.add("x", {"x/__init__.py": ""})
    named = {"main.py": "import lib\nlib.use(['hilite'])\n", "other.py": "import x\n"}
    assert packed(choose("reached", named)) == {"lib", "x"}
    assert packed(choose("reached")) == {"lib"}
