import dataclasses
import json
import logging
from collections.abc import Iterator

import pytest

from routelet_bundler import adapter as contract
from routelet_bundler.adapter import (
    Adapter,
    BuildStart,
    ConfigDone,
    Integration,
    Logger,
    fire,
    logger_of,
)
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Config


class Named(Integration):
    def __init__(self, name: str) -> None:
        self.name = name


def start(integration: Integration, logger: Logger) -> None:
    integration.build_start(BuildStart(logger=logger))


def test_all_that_an_author_reads_is_there() -> None:
    assert all(hasattr(contract, name) for name in contract.__all__)


def test_a_hook_that_is_not_overridden_does_nothing() -> None:
    start(Integration(), logger_of("x"))
    assert Integration.name == "integration"


def test_a_hook_is_fired_for_each_integration_in_order() -> None:
    fired: list[str] = []
    fire([Named("a"), Named("b")], "build_start", lambda one, _: fired.append(one.name))
    assert fired == ["a", "b"]


def test_a_hook_logs_under_its_integrations_name(caplog: pytest.LogCaptureFixture) -> None:
    class Talking(Named):
        def build_start(self, payload: BuildStart) -> None:
            payload.logger.warning("%d%% of %s", 50, "files")

    with caplog.at_level(logging.INFO, logger="routelet"):
        fire([Talking("moon")], "build_start", start)
    assert [record.getMessage() for record in caplog.records] == ["[moon] 50% of files"]


def test_a_hook_that_fails_is_told_with_integration_and_hook() -> None:
    class Failing(Named):
        def build_start(self, payload: BuildStart) -> None:
            payload.logger.info("about to fail")
            raise KeyError("bucket")

    with pytest.raises(RouteletError) as told:
        fire([Named("fine"), Failing("moon")], "build_start", start)
    assert "integration moon failed in build_start" in told.value.what
    assert "KeyError('bucket')" in told.value.what
    assert isinstance(told.value.__cause__, KeyError)


def test_a_hook_that_a_decorator_hides_as_async_or_a_generator_is_told() -> None:
    async def waits(_one: Integration, _log: Logger) -> None: ...

    def yields(_one: Integration, _log: Logger) -> Iterator[None]:
        yield

    for hook in (waits, yields):
        with pytest.raises(RouteletError, match="hooks are not async and yield nothing") as told:
            fire([Named("moon")], "build_start", hook)
        assert told.value.where == "integration moon, build_start"
        assert told.value.status == WRONG_USE


def test_a_mistake_that_a_hook_tells_itself_stays_its_own() -> None:
    mistake = RouteletError("no bucket", where="pyproject.toml:3", mend="name one")

    class Telling(Integration):
        def build_start(self, payload: BuildStart) -> None:
            payload.logger.info("about to tell")
            raise mistake

    with pytest.raises(RouteletError) as told:
        fire([Telling()], "build_start", start)
    assert told.value is mistake


def test_a_mistake_without_a_place_is_told_with_integration_and_hook() -> None:
    def tell(_: Integration, __: Logger) -> None:
        raise RouteletError("no bucket")

    with pytest.raises(RouteletError) as told:
        fire([Named("moon")], "build_start", tell)
    assert told.value.where == "integration moon, build_start"


def test_what_a_hook_raises_is_told_with_its_own_line_and_not_that_of_a_library() -> None:
    def parse(_: Integration, __: Logger) -> None:
        json.loads("x")

    with pytest.raises(RouteletError) as told:
        fire([Named("moon")], "build_start", parse)
    line = parse.__code__.co_firstlineno + 1
    assert told.value.where == f"{__file__}:{line}"


def test_a_hook_that_would_end_the_process_has_failed() -> None:
    class Ending(Named):
        def build_start(self, payload: BuildStart) -> None:
            payload.logger.info("about to end")
            raise SystemExit(0)

    with pytest.raises(RouteletError, match="moon failed in build_start: SystemExit"):
        fire([Ending("moon")], "build_start", start)


def test_an_interrupt_in_a_hook_is_no_mistake() -> None:
    class Interrupted(Integration):
        def build_start(self, payload: BuildStart) -> None:
            payload.logger.info("about to stop")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fire([Interrupted()], "build_start", start)


def test_payloads_and_adapters_are_never_changed() -> None:
    payload = ConfigDone(config=Config(), set_adapter=print, logger=logger_of("x"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        payload.config = Config()  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Adapter("moon", "moon.server").name = "sun"  # type: ignore[misc]
