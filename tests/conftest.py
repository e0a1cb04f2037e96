"""Tests never touch the cache of whoever runs them."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)  # a busy machine is no failure
settings.register_profile("fuzz", deadline=None, max_examples=20_000)  # `make fuzz`
settings.load_profile("here")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the session a cache folder, unless it was given one."""
    given = os.environ.get("ROUTELET_CACHE")
    if given is None:
        os.environ["ROUTELET_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if given is None:
        del os.environ["ROUTELET_CACHE"]
