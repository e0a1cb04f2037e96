"""Which distributions a function packs, and which are left to the host: all seven, or none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from routelet_bundler.adapters.aws_lambda import SDK
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Target, Traced

Trace = Callable[..., Traced]
Installed = Any

REQUIRES = {
    "boto3": ["botocore", "jmespath", "s3transfer"],
    "botocore": ["jmespath", "python-dateutil", "urllib3"],
    "s3transfer": ["botocore"],
    "python-dateutil": ["six"],
}
MODULES = {"python-dateutil": "dateutil"}
EVERYTHING = {*SDK}


def packed(traced: Traced) -> set[str]:
    return {one.name for one, _ in traced.distributions}


@pytest.fixture
def target(target: Target) -> Target:
    """Return a host as AWS Lambda is with `sdk = "runtime"`."""
    return replace(target, provided=SDK, provided_through="boto3")


@pytest.fixture
def sdk(installed: Installed) -> Installed:
    """Install boto3 and its companions, and requests, which needs one of them."""
    for name in SDK:
        module = MODULES.get(name, name)
        installed.add(name, {f"{module}/__init__.py": ""}, requires=REQUIRES.get(name, ()))
    installed.add("requests", {"requests/__init__.py": ""}, requires=["urllib3"])
    return installed


@pytest.mark.usefixtures("sdk")
class TestHostThatProvidesTheSdk:
    @pytest.mark.parametrize(
        "source",
        [
            "import boto3\n",
            "import boto3\nimport botocore.exceptions\n",
            "import boto3\nfrom dateutil import parser\n",
            "try:\n    import boto3\nexcept ImportError:\n    pass\n",
        ],
    )
    def test_all_seven_are_left_out_for_what_comes_with_boto3(
        self, trace: Trace, source: str
    ) -> None:
        traced = trace({"main.py": source}, dependencies=["boto3"])
        assert packed(traced) == set()
        assert set(traced.provided) == EVERYTHING

    def test_all_are_packed_where_another_distribution_needs_one(self, trace: Trace) -> None:
        source = "import boto3\nimport requests\n"
        traced = trace({"main.py": source}, dependencies=["boto3", "requests"])
        assert packed(traced) == EVERYTHING | {"requests"}
        assert traced.provided == ()

    def test_one_of_them_alone_is_packed_with_what_it_requires(self, trace: Trace) -> None:
        traced = trace({"main.py": "import urllib3\n"}, dependencies=["urllib3"])
        assert (packed(traced), traced.provided) == ({"urllib3"}, ())
        traced = trace({"main.py": "import dateutil\n"}, dependencies=["python-dateutil"])
        assert (packed(traced), traced.provided) == ({"python-dateutil", "six"}, ())

    def test_one_that_the_project_names_itself_is_packed_with_all(self, trace: Trace) -> None:
        source = "import boto3\nimport urllib3\n"
        traced = trace({"main.py": source}, dependencies=["boto3", "urllib3<2"])
        assert packed(traced) == EVERYTHING
        assert traced.provided == ()

    def test_each_route_is_judged_by_itself(self, trace: Trace) -> None:
        files = {"main.py": "import boto3\n", "other.py": "import requests\n"}
        assert trace(files, "main").provided == SDK
        other = trace(files, "other")
        assert (packed(other), other.provided) == ({"requests", "urllib3"}, ())

    def test_a_function_that_needs_none_relies_on_none(self, trace: Trace) -> None:
        traced = trace({"main.py": "import json\n"}, dependencies=["boto3"])
        assert (packed(traced), traced.provided) == (set(), ())

    def test_every_packed_distribution_has_its_reason(self, trace: Trace) -> None:
        source = "import boto3\nimport requests\n"
        traced = trace({"main.py": source}, dependencies=["boto3", "requests"])
        reasons = {one.name: str(reason) for one, reason in traced.distributions}
        assert reasons["boto3"] == "import by main.py:1"
        assert reasons["urllib3"] == "requires by requests"
        assert reasons["six"] == "requires by python-dateutil"

    @pytest.mark.parametrize(
        ("source", "left"),
        [("import boto3\n", True), ("def f():\n    import boto3\n", True), ("", False)],
    )
    def test_one_that_a_packed_distribution_may_import_is_left_with_all(
        self, trace: Trace, installed: Installed, source: str, *, left: bool
    ) -> None:
        installed.add("tools", {"tools.py": source}, requires=["boto3; extra == 'sdk'"])
        files = {"main.py": "import tools\n", "other.py": "import boto3\n"}
        traced = trace(files, dependencies=["tools", "boto3"])
        assert (packed(traced), traced.provided) == ({"tools"}, SDK if left else ())
        assert traced.omitted == ()

    def test_all_are_packed_where_one_may_be_imported_and_another_is_required(
        self, trace: Trace, installed: Installed
    ) -> None:
        requires = ["boto3; extra == 'sdk'", "requests"]
        installed.add("tools", {"tools.py": "import boto3\n"}, requires=requires)
        files = {"main.py": "import tools\n", "other.py": "import boto3\n"}
        traced = trace(files, dependencies=["tools", "boto3", "requests"])
        assert packed(traced) == EVERYTHING | {"tools", "requests"}
        assert traced.provided == ()
        assert {one.name: str(reason) for one, reason in traced.distributions}["boto3"] == (
            "requires by tools"
        )

    def test_one_that_is_packed_alone_is_not_mixed_with_the_hosts(
        self, trace: Trace, installed: Installed
    ) -> None:
        installed.add("tools", {"tools.py": "import boto3\n"}, requires=["boto3; extra == 'sdk'"])
        files = {"main.py": "import tools, urllib3\n", "other.py": "import boto3\n"}
        traced = trace(files, dependencies=["tools", "boto3", "urllib3"])
        assert packed(traced) == EVERYTHING | {"tools"}
        assert traced.provided == ()

    def test_what_the_host_has_is_not_told_as_left_out(
        self, trace: Trace, installed: Installed
    ) -> None:
        installed.add("tools", {"tools.py": "import boto3\n"})
        traced = trace({"main.py": "import tools, boto3\n"}, dependencies=["tools", "boto3"])
        assert (packed(traced), traced.provided, traced.omitted) == ({"tools"}, SDK, ())

    def test_they_are_packed_where_the_host_is_not_to_be_relied_on(
        self, trace: Trace, target: Target
    ) -> None:
        bundle = replace(target, provided=())
        traced = trace({"main.py": "import boto3\n"}, target=bundle, dependencies=["boto3"])
        assert (packed(traced), traced.provided) == (EVERYTHING, ())


def test_boto3_need_not_be_declared_where_the_host_has_it(trace: Trace) -> None:
    traced = trace({"main.py": "import boto3\nfrom botocore.config import Config\n"})
    assert (packed(traced), set(traced.provided)) == (set(), EVERYTHING)


def test_undeclared_boto3_beside_what_packs_one_of_its_companions_is_an_error(
    trace: Trace, installed: Installed
) -> None:
    installed.add("urllib3", {"urllib3/__init__.py": ""})
    installed.add("requests", {"requests/__init__.py": ""}, requires=["urllib3"])
    with pytest.raises(RouteletError, match="needs boto3, which the host has") as caught:
        trace({"main.py": "import requests\n\nimport boto3\n"}, dependencies=["requests"])
    assert caught.value.where == "src/main.py:3"
    assert caught.value.mend == "add boto3 to dependencies in pyproject.toml"


def test_without_a_host_that_has_it_boto3_must_be_a_dependency(
    trace: Trace, target: Target
) -> None:
    with pytest.raises(RouteletError, match="imports boto3, which no dependency provides"):
        trace({"main.py": "import boto3\n"}, target=replace(target, provided=()))


class TestCompanions:
    """`orm` lists three distributions in extras; the site imports `used`, never `driver`."""

    @pytest.fixture(autouse=True)
    def orm(self, installed: Installed) -> None:
        names = ("driver", "used", "indirect")
        installed.add("orm", {"orm.py": ""}, requires=[f"{n}; extra == '{n}'" for n in names])
        for name in names:
            installed.add(name, {f"{name}.py": ""})

    @pytest.mark.parametrize(
        ("wanted", "companions"),
        [
            ("declared", set()),
            ("reached", {"driver"}),
            ("all", {"driver", "used", "indirect"}),
        ],
    )
    def test_which_of_them_come_along_is_configured(
        self, trace: Trace, target: Target, wanted: Any, companions: set[str]
    ) -> None:
        traced = trace(
            {"main.py": "import orm\n", "other.py": "import used\n"},
            target=replace(target, companions=wanted),
            dependencies=["orm", "driver", "used"],
        )
        assert packed(traced) == {"orm", *companions}
        reasons = {str(reason) for one, reason in traced.distributions if one.name != "orm"}
        assert reasons <= {"requires by orm"}
