"""What an adapter may say of itself, and what is said of it."""

from typing import Any

import pytest

from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.features import (
    FEATURES,
    check_assets,
    check_output,
    feature_warnings,
    mistakes_of,
)
from routelet_bundler.model import Adapter, Assets, Target


def adapter(**features: Any) -> Adapter:
    return Adapter("moon", "moon.server", supported_features=features)


def test_an_adapter_is_its_name_and_its_server_and_runs_on_a_machine_like_this() -> None:
    plain = Adapter("moon", "moon.server")
    assert (plain.exports, plain.args, plain.supported_features) == ((), {}, {})
    assert plain.target.glibc == ""
    assert list(mistakes_of(plain)) == []


@pytest.mark.parametrize("feature", FEATURES)
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
        ({"exports": "handler"}, "exports is 'handler'", 'write exports=("handler",)'),
        ({"server_entrypoint": "", "exports": ("a",)}, "no server_entrypoint", ""),
        ({"server_entrypoint": "moon:server"}, "server_entrypoint is 'moon:server'", ""),
        ({"server_entrypoint": "moon;print()"}, "no dotted module", ""),
        ({"middleware_entrypoint": "moon.edge"}, "middleware_entrypoint and no exports", ""),
        ({"split": "rout"}, '"rout" is no split', '"route"?'),
        ({"args": {"at": object}}, '"at" of args', "numbers"),
        ({"args": {"at": [{"x": {1, 2}}]}}, '"at" of args', "numbers"),
        ({"args": {"at": float("nan")}}, '"at" of args', "numbers"),
        (
            {"target": Target(python=3.12)},  # type: ignore[arg-type]  # a mistake
            "python of its target is 3.12",
            '"3.12"',
        ),
        ({"target": Target(python="python3.12")}, "python of its target", '"3.12"'),
        (
            {"target": Target(architecture="arm")},  # type: ignore[arg-type]  # a mistake
            "architecture of its target is 'arm'",
            "arm64",
        ),
        ({"target": Target(glibc="2.28")}, "glibc of its target is '2.28'", '"2_28"'),
        ({"target": Target(folder="workspace")}, "folder of its target is 'workspace'", '"/app"'),
        ({"target": Target(python="3.12", runtime="python312")}, "runtime of its", "on Lambda"),
        ({"target": Target(python="3.12", runtime="python3.1x")}, "runtime of its", "leave it out"),
        (
            {"target": Target(provided="flask")},  # type: ignore[arg-type]  # a mistake
            "provided of its target is 'flask'",
            'provided=("flask",)',
        ),
        ({"target": Target(provided=("Flask",))}, "target has 'Flask'", 'write "flask"'),
        (
            {"target": Target(provided=("flask",), provided_through="flsk")},
            "provided_through of its target is 'flsk'",
            "name one of flask",
        ),
        ({"memory_mb": "256"}, "memory_mb is '256'", "a whole number"),
        ({"timeout_s": True}, "timeout_s is True", "a whole number"),
        ({"timeout_s": 0}, "timeout_s is 0", "a whole number"),
        ({"args": {"client": "mine"}, "serves_client": True}, '"client" of args', "another name"),
        ({"supported_features": {"server_ouput": "stable"}}, "no feature", '"server_output"?'),
        ({"supported_features": ["server_output"]}, "supported_features is [", "Mapping"),
        ({"args": None}, "args is None", "Mapping"),
        ({"exports": (1,)}, "1 in exports", ""),
        ({"supported_features": {"moon": "stable"}}, "no feature", "there are static_output"),
        ({"supported_features": {"assets": "stabel"}}, "no level of assets", '"stable"?'),
    ],
)
def test_a_faulty_adapter_is_told_what_is_wrong(said: Any, what: str, mend: str) -> None:
    [mistake] = mistakes_of(Adapter(**{"name": "moon", "server_entrypoint": "moon.server", **said}))
    assert what in mistake.what
    assert mend in mistake.mend
    assert mistake.status == WRONG_USE


def test_all_mistakes_are_told() -> None:
    faulty = Adapter("moon", exports=("a b",), supported_features={"x": "y"})  # type: ignore[dict-item]
    assert len(list(mistakes_of(faulty))) == 3
