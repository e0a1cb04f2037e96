import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from routelet_bundler.adapter import Integration

PYPROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
GROUP = "routelet.adapters"
ADAPTERS = PYPROJECT["project"]["entry-points"][GROUP]


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_registered_under_the_name_that_it_has(name: str) -> None:
    made = EntryPoint(name, ADAPTERS[name], GROUP).load()()
    assert isinstance(made, Integration)
    assert made.name == name
