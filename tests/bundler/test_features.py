"""What an adapter may say of itself, and what is said of it."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, get_args

import pytest

from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.features import (
    Feature,
    check_assets,
    check_output,
    feature_warnings,
    taken_over,
)
from routelet_bundler.model import (
    Adapter,
    AdapterFeatures,
    Assets,
    Limits,
    MiddlewareHost,
    RouteConfig,
    Target,
)


def adapter(**features: Any) -> Adapter:
    return Adapter("moon", "moon.server", supported_features=features)


def wrong(kind: Callable[..., object], **said: object) -> Any:
    """Return a value of types that no type checker lets through."""
    return kind(**said)


def mistakes_of(**said: Any) -> list[RouteletError]:
    with pytest.raises(RouteletError) as raised:
        taken_over(Adapter(**{"name": "moon", "server_entrypoint": "moon.server", **said}))
    return [raised.value, *raised.value.others]


def test_an_adapter_is_its_name_and_its_server_and_runs_on_a_machine_like_this() -> None:
    plain = Adapter("moon", "moon.server")
    assert (plain.exports, plain.args, plain.supported_features) == ((), {}, {})
    assert plain.target.glibc == ""
    assert taken_over(plain) == plain


def test_an_adapter_is_written_in_the_order_of_the_contract() -> None:
    features = AdapterFeatures(True, False)
    positional = Adapter(
        "moon", "moon.server", ("serve",), {"port": 1}, features, {"assets": Assets("stable")}
    )
    assert positional == Adapter(
        name="moon",
        server_entrypoint="moon.server",
        exports=("serve",),
        args={"port": 1},
        adapter_features=AdapterFeatures(function_per_route=True),
        supported_features={"assets": Assets(support="stable")},
    )


def test_lists_and_mappings_are_what_they_stand_for_once_an_adapter_is_taken_over() -> None:
    exports, args = ["serve"], {"port": 1}
    assets = {"support": "experimental", "is_pillow_compatible": True}
    moon = Adapter(
        "moon",
        "moon.server",
        exports,
        args,
        MappingProxyType({"function_per_route": True}),
        {"assets": assets, "server_output": "stable"},
    )
    taken = taken_over(moon)
    assert taken.adapter_features == AdapterFeatures(function_per_route=True) == moon.features
    assert taken.support("assets") == Assets("experimental", is_pillow_compatible=True)
    assert taken.support("assets") == moon.support("assets")
    assert taken.support("server_output").support == "stable"
    for changed in (exports, args, assets):
        changed.clear()
    assert (taken.exports, taken.args) == (("serve",), {"port": 1})
    assert taken.support("assets").support == "experimental"


@pytest.mark.parametrize("feature", get_args(Feature))
@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("stable", None),
        ("unsupported", None),
        ("experimental", "supports {} experimentally"),
        ("deprecated", "has deprecated its support for {}"),
    ],
)
def test_a_level_is_warned_of_with_adapter_and_feature(
    feature: str, level: str, said: str | None
) -> None:
    warnings = feature_warnings(adapter(**{feature: level}))
    assert len(warnings) == (said is not None)
    if said:
        assert warnings[0].startswith(f"the adapter moon {said.format(feature)}")


def test_assets_have_a_level_among_what_else_is_said_of_them() -> None:
    [warning] = feature_warnings(adapter(assets=Assets(support="experimental")))
    assert "assets experimentally" in warning


@pytest.mark.parametrize("output", ["static", "hybrid", "server"])
@pytest.mark.parametrize("named", [True, False])
def test_an_unsupported_output_is_an_error(output: str, named: bool) -> None:
    supported = adapter(**{f"{output}_output": "unsupported"} if named else {})
    with pytest.raises(RouteletError, match="the adapter moon does not support output") as told:
        check_output(supported, output)
    assert told.value.status == WRONG_USE


@pytest.mark.parametrize("level", ["stable", "experimental", "deprecated"])
def test_an_output_of_any_other_level_is_built(level: str) -> None:
    check_output(adapter(hybrid_output=level), "hybrid")  # raises nothing


@pytest.mark.parametrize("support", [None, "unsupported", Assets(support="unsupported")])
def test_unsupported_assets_are_an_error_where_a_site_uses_some(support: Any) -> None:
    moon = adapter(**{"assets": support} if support else {})
    check_assets(moon, {}, {})  # raises nothing
    with pytest.raises(RouteletError, match="the adapter moon does not support assets") as told:
        check_assets(moon, {"logo.svg": "/logo.1.svg"}, {})
    assert told.value.status == WRONG_USE
    assert told.value.where == "ctx.asset('logo.svg')"


@pytest.mark.parametrize("library", ["pillow", "pyvips"])
def test_a_library_that_makes_images_has_to_run_on_the_host(library: str) -> None:
    reached = {library: ("/thumbnail",), "idna": ("/", "/thumbnail")}
    with pytest.raises(RouteletError, match=f"moon is not compatible with {library}") as told:
        check_assets(adapter(assets=Assets(support="stable")), {}, reached)
    assert (told.value.where, told.value.status) == ("/thumbnail", WRONG_USE)
    runs = Assets(support="stable", is_pillow_compatible=True, is_pyvips_compatible=True)
    check_assets(adapter(assets=runs), {}, reached)  # raises nothing
    check_assets(adapter(assets="stable"), {}, reached)


@pytest.mark.parametrize(
    ("said", "what", "mend"),
    [
        ({"name": ""}, "has no name", ""),
        ({"exports": ("a b",)}, "'a b' in exports", ""),
        ({"exports": ("class",)}, "'class' in exports", ""),
        ({"exports": "handler"}, "exports is 'handler'", 'write ("handler",)'),
        ({"server_entrypoint": "", "exports": ("a",)}, "no server_entrypoint", ""),
        ({"server_entrypoint": "moon:server"}, "server_entrypoint is 'moon:server'", ""),
        ({"server_entrypoint": "moon;print()"}, "no dotted module", ""),
        ({"middleware_entrypoint": "moon.edge"}, "middleware_entrypoint and no exports", ""),
        ({"split": "rout"}, "split is 'rout'", '"route"?'),
        ({"args": {"at": object}}, '"at" of args', "numbers"),
        ({"args": {"at": [{"x": {1, 2}}]}}, '"at" of args', "numbers"),
        ({"args": {"at": float("nan")}}, '"at" of args', "numbers"),
        ({"target": wrong(Target, python=3.12)}, "target.python is 3.12", "string"),
        ({"target": Target(python="python3.12")}, "python of its target", '"3.12"'),
        ({"target": wrong(Target, architecture="arm")}, "target.architecture is 'arm'", "arm64"),
        ({"target": wrong(Target, architecture=None)}, "target.architecture is None", "arm64"),
        ({"target": wrong(Target, provided="flask")}, "target.provided is 'flask'", "tuple"),
        ({"target": Target(glibc="2.28")}, "glibc of its target is '2.28'", '"2_28"'),
        ({"target": Target(folder="workspace")}, "folder of its target is 'workspace'", '"/app"'),
        ({"target": Target(python="3.12", runtime="python312")}, "runtime of its", "on Lambda"),
        ({"target": Target(python="3.12", runtime="python3.1x")}, "runtime of its", "leave it out"),
        ({"target": Target(provided=("Flask",))}, "target has 'Flask'", 'write "flask"'),
        (
            {"target": Target(provided=("flask",), provided_through="flsk")},
            "provided_through of its target is 'flsk'",
            "name one of flask",
        ),
        ({"timeout_s": 0}, "timeout_s is 0", "greater than 0"),
        ({"args": {"client": "mine"}, "serves_client": True}, '"client" of args', "another name"),
        ({"supported_features": {"server_ouput": "stable"}}, "no feature", '"server_output"?'),
        ({"supported_features": ["server_output"]}, "supported_features is [", "dictionary"),
        ({"supported_features": {1: "stable"}}, "has 1, which is no feature", "static_output"),
        ({"args": None}, "args is None", "dictionary"),
        ({"args": {1: 2}}, "args.1.[key] is 1", "string"),
        ({"exports": (1,)}, "exports.0 is 1", "string"),
        ({"exports": 1}, "exports is 1", "tuple"),
        ({"name": None}, "name is None", "string"),
        ({"server_entrypoint": None}, "server_entrypoint is None", "string"),
        ({"middleware_entrypoint": 3}, "middleware_entrypoint is 3", "string"),
        ({"target": None}, "target is None", "instance of Target"),
        ({"target": wrong(Target, provided=["boto3"])}, "target.provided is ['boto3']", "tuple"),
        ({"limits": wrong(Limits, zipped_bytes="x")}, "limits.zipped_bytes is 'x'", "integer"),
        ({"memory_mb": "256"}, "memory_mb is '256'", "integer"),
        ({"memory_mb": True}, "memory_mb is True", "integer"),
        ({"serves_client": "yes"}, "serves_client is 'yes'", "boolean"),
        ({"adapter_features": True}, "adapter_features is True", "AdapterFeatures"),
        (
            {"adapter_features": wrong(AdapterFeatures, function_per_route="yes")},
            ".function_per_route is 'yes'",
            "boolean",
        ),
        ({"adapter_features": {"edge_middleware": 1}}, "edge_middleware is 1", "boolean"),
        (
            {"adapter_features": {"functionPerRoute": True}},
            "adapter_features has 'functionPerRoute'",
            'did you mean "function_per_route"?',
        ),
        (
            {
                "middleware_host": MiddlewareHost(
                    config=RouteConfig(), limits=wrong(Limits, source=3)
                )
            },
            "middleware_host.limits.source is 3",
            "string",
        ),
        ({"supported_features": {"moon": "stable"}}, "no feature", "there are static_output"),
        ({"supported_features": {"assets": "stabel"}}, "assets.support is 'stabel'", '"stable"?'),
        ({"supported_features": {"assets": True}}, "assets.support is True", "stable, exp"),
        (
            {"supported_features": {"assets": wrong(Assets, support="no")}},
            "assets.support is 'no'",
            "stable, exp",
        ),
        ({"supported_features": {"assets": {"suport": "stable"}}}, "lacks 'support'", ""),
        (
            {"supported_features": {"assets": {"support": "stable", "is_pilow_compatible": True}}},
            "supported_features.assets has 'is_pilow_compatible'",
            'did you mean "is_pillow_compatible"?',
        ),
    ],
)
def test_a_faulty_adapter_is_told_what_is_wrong(said: Any, what: str, mend: str) -> None:
    mistake, *_ = mistakes_of(**said)
    assert what in mistake.what
    assert mend in mistake.mend
    assert mistake.status == WRONG_USE


def test_all_mistakes_are_told() -> None:
    assert len(mistakes_of(server_entrypoint="", exports=("a b",))) == 2
    assert len(mistakes_of(exports="a", serves_client=1, supported_features={"x": "y"})) == 4
