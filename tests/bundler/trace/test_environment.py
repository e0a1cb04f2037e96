"""The site's environment: for the target and for this machine, and the jinja2 that pages need."""

import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pytest

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, HOST_ARCHITECTURE, Project, Target
from routelet_bundler.trace.environment import Environment, environment_of

Site = Callable[..., Path]
Wheels = Any

OURS = version("jinja2")
TAG = f"cp{HOST.replace('.', '')}"


@pytest.fixture
def environment(cache: Cache, target: Target) -> Callable[..., Environment]:
    """Return the environment of a site; its dependencies are those of its project."""

    def of(
        root: Path, *dependencies: str, target: Target = target, needs_jinja: bool = False
    ) -> Environment:
        project = Project(dependencies=dependencies)
        return environment_of(project, root, target, cache, locked=False, needs_jinja=needs_jinja)

    return of


Make = Callable[..., Environment]


def names(environment: Environment) -> set[str]:
    return set(environment.index.distributions)


class TestJinja:
    def test_a_site_with_templates_gets_the_one_they_are_compiled_for(
        self, write_site: Site, wheels: Wheels, environment: Make
    ) -> None:
        wheels.add("jinja2", OURS)
        wheels.add("jinja2", "99.0")
        made = environment(write_site({}), needs_jinja=True)
        assert made.index.distributions["jinja2"].version == OURS
        assert made.dependencies == (f"jinja2=={OURS}",)

    def test_a_site_without_templates_gets_none(self, write_site: Site, environment: Make) -> None:
        assert names(environment(write_site({}))) == set()

    @pytest.mark.parametrize("line", ["jinja2", "Jinja2>=3", "jinja2[i18n] >= 2"])
    def test_the_sites_own_choice_is_kept_where_it_fits(
        self, write_site: Site, wheels: Wheels, environment: Make, line: str
    ) -> None:
        wheels.add("jinja2", OURS, extras=["i18n"])
        made = environment(write_site({}), line, needs_jinja=True)
        assert made.dependencies == (line,)
        assert names(made) == {"jinja2"}

    def test_another_minor_version_is_refused(
        self, write_site: Site, wheels: Wheels, environment: Make
    ) -> None:
        wheels.add("jinja2", "2.11.3")
        with pytest.raises(RouteletError, match="templates are compiled with jinja2") as caught:
            environment(write_site({}), "jinja2<3", needs_jinja=True)
        major, minor, *_ = OURS.split(".")
        assert caught.value.mend == f"require jinja2=={major}.{minor}.*"

    def test_a_lock_without_it_is_refused(
        self, write_site: Site, wheels: Wheels, environment: Make
    ) -> None:
        wheels.add("pure")
        root = write_site({"requirements.txt": "pure\n"})
        with pytest.raises(RouteletError, match="its lock file has no jinja2") as caught:
            environment(root, needs_jinja=True)
        assert caught.value.where == "requirements.txt"


def test_a_dependency_that_cannot_be_packed_is_told_with_its_line(
    write_site: Site, wheels: Wheels, environment: Make
) -> None:
    wheels.add("newlib", tag=f"{TAG}-{TAG}-manylinux_2_39_x86_64")
    text = '[project]\nname = "uv-site"\ndependencies = [\n  "newlib",\n]\n'
    with pytest.raises(RouteletError, match=r"newlib==1\.0 has no wheel") as caught:
        environment(write_site({}, pyproject=text), "newlib")
    assert caught.value.where == "pyproject.toml:4"


@pytest.mark.usefixtures("wheels")
def test_a_distribution_that_is_nowhere_is_told_with_its_line(
    write_site: Site, environment: Make
) -> None:
    root = write_site({"requirements.txt": "# uv\nnothere==1\n"})
    with pytest.raises(RouteletError) as caught:
        environment(root)
    assert caught.value.where == "requirements.txt:2"


def test_lines_of_a_requirements_file_count_as_the_projects_own(
    write_site: Site, wheels: Wheels, environment: Make
) -> None:
    wheels.add("pure", requires=["other; extra == 'more'"], extras=["more"])
    wheels.add("other")
    made = environment(write_site({"requirements.txt": "pure[more]\n"}))
    assert made.dependencies == ("pure[more]",)
    assert names(made) == {"pure", "other"}


class TestHost:
    def test_it_is_the_target_where_that_runs_here(
        self, write_site: Site, wheels: Wheels, environment: Make, target: Target
    ) -> None:
        wheels.add("pure")
        made = environment(
            write_site({}), "pure", target=replace(target, architecture=HOST_ARCHITECTURE)
        )
        assert made.interpreter == find_interpreter(HOST)
        assert made.host_index == made.index
        assert (made.host / "pure").is_dir()

    def test_another_architecture_gets_a_twin_of_the_same_versions(
        self, write_site: Site, wheels: Wheels, environment: Make, target: Target
    ) -> None:
        for machine in ("x86_64", "aarch64"):
            wheels.add("native", tag=f"{TAG}-{TAG}-manylinux_2_17_{machine}")
        other: Literal["x86_64", "arm64"] = "arm64" if HOST_ARCHITECTURE == "x86_64" else "x86_64"
        made = environment(write_site({}), "native", target=replace(target, architecture=other))
        twin, native = (index.distributions["native"] for index in (made.host_index, made.index))
        assert twin.version == native.version
        assert twin.key != native.key

    def test_a_python_that_is_not_here_prerenders_under_the_running_one(
        self, write_site: Site, wheels: Wheels, environment: Make, target: Target
    ) -> None:
        wheels.add("pure", requires=["old; python_version < '3.99'"])
        wheels.add("old")
        made = environment(write_site({}), "pure", target=replace(target, python="3.99"))
        assert made.interpreter == Path(sys.executable)
        assert names(made) == {"pure"}
        assert set(made.host_index.distributions) == {"pure", "old"}
