"""Hooks that would do nothing, or fail without a line, are told before any is called."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler.adapter import BuildDone, BuildStart, Integration
from routelet_bundler.adapters.hooks import HOOKS, hook_mistakes, hook_warnings
from routelet_bundler.configure import configure
from routelet_bundler.errors import WRONG_USE, RouteletError

PLUG = """\
from routelet_bundler.adapter import Integration

class Awaited(Integration):
    name = "awaited"

    async def build_done(self, payload):
        raise AssertionError

class Misspelled(Integration):
    name = "misspelled"

    def build_don(self, payload):
        raise AssertionError

class Adding(Integration):
    name = "adding"

    def config_setup(self, payload):
        payload.update_config(integrations=[Awaited(), Misspelled()])
"""


def test_hooks_are_all_that_an_integration_may_override() -> None:
    assert HOOKS[:2] == ("config_setup", "config_done")
    assert HOOKS[-1] == "build_done"
    assert len(HOOKS) == 10


@pytest.mark.parametrize("name", ["Awaited", "Adding"])
def test_an_async_hook_is_told_with_its_line(write_site: Callable[..., Path], name: str) -> None:
    table = f'[tool.routelet]\nintegrations = ["plug:{name}"]\n'
    root = write_site({"plug.py": PLUG}, pyproject=table)
    with pytest.raises(RouteletError) as told:
        configure(root, "build")
    assert told.value.what == "integration awaited, build_done: hooks are not async"
    assert told.value.where == f"{root / 'plug.py'}:6"
    assert told.value.mend == "write def build_done"
    assert told.value.status == WRONG_USE


def test_a_misspelled_hook_is_warned_of(write_site: Callable[..., Path]) -> None:
    table = '[tool.routelet]\nintegrations = ["plug:Misspelled"]\n'
    found = configure(write_site({"plug.py": PLUG}, pyproject=table), "build")
    assert found.warnings == (
        'the integration misspelled has build_don, which is no hook: did you mean "build_done"?',
    )


def mistakes(integration: Integration) -> list[str]:
    return [one.what for one in hook_mistakes(integration)]


def test_every_hook_that_does_not_take_its_payload_is_told() -> None:
    class Bare(Integration):
        build_ssr = None  # type: ignore[assignment]

        def build_start(self) -> None:  # type: ignore[override]
            pass

        def build_done(self, out_dir: Path, pages: Any) -> None:  # type: ignore[override]
            pass

    assert mistakes(Bare()) == [
        f"integration integration, {hook}: does not take the payload alone"
        for hook in ("build_start", "build_ssr", "build_done")
    ]


def test_hooks_may_be_wrapped_inherited_and_set_on_the_object() -> None:
    def traced(hook: Callable[..., None]) -> Callable[..., None]:
        @wraps(hook)
        def inner(*args: Any, **options: Any) -> None:
            hook(*args, **options)

        return inner

    class Base(Integration):
        @traced
        def build_done(self, payload: BuildDone) -> None:
            payload.logger.info("done")

    class Derived(Base):
        def __init__(self) -> None:
            self.build_start: Any = print

        @staticmethod
        def build_ssr(payload: object, *, quiet: bool = True) -> None:
            pass

    assert mistakes(Derived()) == []
    assert list(hook_warnings([Derived()])) == []


def test_a_decorator_may_add_what_a_hook_takes() -> None:
    def with_settings(hook: Callable[..., None]) -> Callable[..., None]:
        @wraps(hook)
        def inner(self: object, payload: object) -> None:
            hook(self, payload, {})

        return inner

    class Decorated(Integration):
        @with_settings
        def build_done(self, payload: object, settings: dict[str, str]) -> None:
            pass

    assert mistakes(Decorated()) == []


def test_methods_of_other_names_and_helpers_of_a_hook_that_is_there_are_no_hooks() -> None:
    class Helped(Integration):
        def build_start(self, payload: BuildStart) -> None:
            self.build_starts(payload)

        def build_starts(self, payload: BuildStart) -> None:
            pass

        def build_page(self, text: str) -> str:
            return text

        def build_css(self) -> None:
            pass

        def _build_done(self, payload: BuildDone) -> None:
            pass

        def config_setup_of(self, one: str, other: str) -> None:
            pass

    assert list(hook_warnings([Helped()])) == []
