"""Installed distributions: their files, the modules they own and what they require."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import default_environment

from routelet_bundler.model import Distribution, Target
from routelet_bundler.trace.distributions import (
    Closures,
    Index,
    index_of,
    target_environment,
)

Installed = Any
Closure = Callable[..., dict[str, str]]


def names_of(distribution: Distribution) -> list[str]:
    return [name for name, _ in distribution.files]


@pytest.fixture
def closure(installed: Installed, target: Target) -> Closure:
    """Return what these roots require of what is installed, for a project's dependencies."""

    def of(*roots: str, direct: tuple[str, ...] = (), target: Target = target) -> dict[str, str]:
        return Closures(index_of(installed.folder), target, direct).of(roots)

    return of


class TestIndex:
    def test_names_are_normalised(self, installed: Installed) -> None:
        installed.add("Typing_Extensions.X", {"typing_extensions.py": ""}, version="4.1")
        (one,) = index_of(installed.folder).distributions.values()
        assert (one.name, one.version) == ("typing-extensions-x", "4.1")

    def test_files_are_those_of_record_with_quoted_names_too(self, installed: Installed) -> None:
        installed.add("a", {"a/__init__.py": "", 'a/one, "two".json': "{}"})
        (one,) = index_of(installed.folder).distributions.values()
        assert names_of(one) == ["a-1.0.dist-info/METADATA", "a/__init__.py", 'a/one, "two".json']
        assert all(path.is_file() for _, path in one.files)

    def test_scripts_bytecode_and_what_the_installer_wrote_are_not_shipped(
        self, installed: Installed
    ) -> None:
        installed.add(
            "a",
            {
                "a/__init__.py": "",
                "a/__pycache__/__init__.cpython-311.pyc": b"",
                "a/old.pyc": b"",
                "bin/a": "#!python",
                "a-1.0.dist-info/entry_points.txt": "[a]\n",
                "a-1.0.dist-info/licenses/LICENSE": "",
                "a-1.0.dist-info/direct_url.json": "{}",
                "a-1.0.dist-info/uv_cache.json": "{}",
                "a-1.0.dist-info/REQUESTED": "",
            },
            unrecorded=["../../bin/a", "/etc/a", "a/gone.py"],
        )
        (one,) = index_of(installed.folder).distributions.values()
        assert names_of(one) == [
            "a-1.0.dist-info/METADATA",
            "a-1.0.dist-info/entry_points.txt",
            "a-1.0.dist-info/licenses/LICENSE",
            "a/__init__.py",
        ]

    def test_an_owner_is_found_by_the_nearest_package(self, installed: Installed) -> None:
        suffix = ".cpython-311-x86_64-linux-gnu.so"
        installed.add("a", {"a/__init__.py": "", f"_native{suffix}": b"", "a.libs/x.so": b""})
        index = index_of(installed.folder)
        found = {name: index.owner_of(name) for name in ("a", "a.b.c", "_native", "b", "x", "a_b")}
        assert {name for name, owner in found.items() if owner} == {"a", "a.b.c", "_native"}

    def test_a_namespace_package_has_the_owners_of_its_portions(self, installed: Installed) -> None:
        installed.add("ns-a", {"ns/cloud/a/__init__.py": ""})
        installed.add("ns-b", {"ns/cloud/b.py": ""})
        index = index_of(installed.folder)
        owners = {name: index.owner_of(name) for name in ("ns.cloud.a.x", "ns.cloud.b", "ns.cloud")}
        assert {name: one and one.name for name, one in owners.items()} == {
            "ns.cloud.a.x": "ns-a",
            "ns.cloud.b": "ns-b",
            "ns.cloud": None,
        }
        assert index.is_namespace("ns.cloud")
        assert not index.is_namespace("ns.cloud.a")

    def test_a_file_of_two_distributions_belongs_to_both(self, installed: Installed) -> None:
        installed.add("ns-a", {"ns/__init__.py": "", "ns/a.py": ""})
        installed.add("ns-b", {"ns/__init__.py": "", "ns/b.py": ""})
        found = index_of(installed.folder).distributions
        assert all("ns/__init__.py" in names_of(one) for one in found.values())


class TestKey:
    def key(self, installed: Installed) -> str:
        return index_of(installed.folder).distributions["a"].key

    def test_it_is_the_same_wherever_it_is_installed(self, installed: Installed) -> None:
        installed.add("a", {"a.py": "x", "a/b.json": "{}"})
        first = self.key(installed)
        installed.add("a", {"a/b.json": "{}", "a.py": "x", "a-1.0.dist-info/direct_url.json": "1"})
        assert self.key(installed) == first

    @pytest.mark.parametrize("files", [{"a.py": "y"}, {"a.py": "x", "b.py": ""}, {}])
    def test_it_changes_with_any_file(self, installed: Installed, files: dict[str, str]) -> None:
        installed.add("a", {"a.py": "x"})
        first = self.key(installed)
        installed.add("a", files)
        assert self.key(installed) != first

    def test_it_changes_with_what_another_distribution_wrote_over_it(
        self, installed: Installed
    ) -> None:
        installed.add("a", {"tests/__init__.py": "of a", "a.py": ""})
        first = self.key(installed)
        installed.add("b", {"tests/__init__.py": "of b", "b.py": ""})
        assert self.key(installed) != first


class TestMarkers:
    def test_every_marker_variable_is_known_for_the_target(self, target: Target) -> None:
        assert target_environment(target).keys() == default_environment().keys()

    @pytest.mark.parametrize(
        ("marker", "platform", "applies"),
        [
            ("python_version < '3.11'", ("3.10", "x86_64"), True),
            ("python_version < '3.11'", ("3.14", "x86_64"), False),
            ("python_full_version >= '3.13.0'", ("3.13", "x86_64"), True),
            ("platform_machine == 'aarch64'", ("3.12", "arm64"), True),
            ("platform_machine == 'aarch64'", ("3.12", "x86_64"), False),
            ("sys_platform == 'win32'", ("3.12", "x86_64"), False),
            ("platform_system == 'Linux' and os_name == 'posix'", ("3.12", "x86_64"), True),
            ("implementation_name == 'pypy'", ("3.12", "x86_64"), False),
        ],
    )
    def test_they_are_evaluated_for_the_target_not_for_this_machine(
        self,
        installed: Installed,
        closure: Closure,
        target: Target,
        marker: str,
        platform: tuple[str, Literal["x86_64", "arm64"]],
        *,
        applies: bool,
    ) -> None:
        installed.add("a", {"a.py": ""}, requires=[f"b; {marker}"])
        installed.add("b", {"b.py": ""})
        python, architecture = platform
        found = closure("a", target=replace(target, python=python, architecture=architecture))
        assert ("b" in found) is applies


class TestClosures:
    def test_each_name_has_what_needs_it(self, installed: Installed, closure: Closure) -> None:
        installed.add("a", {}, requires=["B>=1", "gone"])
        installed.add("b", {}, requires=["c"])
        installed.add("c", {})
        installed.add("unused", {})
        assert closure("a") == {"a": "", "b": "a", "c": "b"}

    def test_cycles_end(self, installed: Installed, closure: Closure) -> None:
        installed.add("a", {}, requires=["b"])
        installed.add("b", {}, requires=["a", "b"])
        assert closure("a") == {"a": "", "b": "a"}

    def test_an_extra_counts_where_the_project_asks_for_it(
        self, installed: Installed, closure: Closure
    ) -> None:
        installed.add("a", {}, requires=["pydantic"])
        installed.add("pydantic", {}, requires=["email-validator; extra == 'email'"])
        installed.add("email-validator", {})
        assert closure("a").keys() == {"a", "pydantic"}
        found = closure("a", direct=("Pydantic[email]>=2",))
        assert found.keys() == {"a", "pydantic", "email-validator"}

    def test_an_extra_counts_where_a_distribution_asks_for_it(
        self, installed: Installed, closure: Closure
    ) -> None:
        installed.add("a", {}, requires=["b"])
        installed.add("b", {}, requires=["c[fast]"])
        installed.add("c", {}, requires=["speed; extra == 'fast'", "slow; extra == 'other'"])
        installed.add("speed", {})
        installed.add("slow", {})
        assert closure("a", "c").keys() == {"a", "b", "c", "speed"}

    def test_an_extra_may_stand_for_others(self, installed: Installed, closure: Closure) -> None:
        installed.add("a", {}, requires=["a[x,y]; extra == 'all'", "b; extra == 'x'"])
        installed.add("b", {})
        assert closure("a", direct=("a[all]",)).keys() == {"a", "b"}

    def test_a_dependency_of_the_project_for_another_platform_asks_for_nothing(
        self, installed: Installed, closure: Closure
    ) -> None:
        installed.add("a", {}, requires=["b; extra == 'x'"])
        installed.add("b", {})
        assert closure("a", direct=("a[x]; sys_platform == 'win32'",)).keys() == {"a"}

    def test_what_its_extras_list_is_told_but_for_those_of_developers(
        self, installed: Installed, target: Target
    ) -> None:
        requires = [
            "plain",
            "driver; extra == 'db'",
            "Fast_One; python_version > '3' and extra == 'fast'",
            "both; extra == 'tests' or extra == 'all'",
            "tested; extra == 'test'",
            "documented; extra == 'docs'",
            "windows; sys_platform == 'win32'",
        ]
        installed.add("orm", {}, requires=requires)
        closures = Closures(index_of(installed.folder), target, ())
        assert closures.extras_of("orm") == {"driver", "fast-one", "both"}
        assert closures.extras_of("elsewhere") == frozenset()

    @given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
    def test_a_closure_is_closed_and_each_name_is_needed(self, graph: dict[str, set[str]]) -> None:
        found = {
            name: Distribution(
                name=name, version="1", files=(), requires=tuple(sorted(needs)), key=name
            )
            for name, needs in graph.items()
        }
        target = Target(python="3.12", architecture="x86_64", glibc="2_34")
        closure = Closures(Index(distributions=found, owners={}), target, ()).of(["a"])
        assert closure.keys() <= graph.keys()
        assert closure.keys() == ({"a"} & graph.keys()) | {
            needed for name in closure for needed in graph[name] & graph.keys()
        }
        assert all(not parent or name in graph[parent] for name, parent in closure.items())
