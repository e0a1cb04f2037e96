"""The build machine's side of routelet. Names are loaded when they are asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from routelet_bundler.version import __version__

if TYPE_CHECKING:
    from routelet_bundler.adapter import Integration
    from routelet_bundler.errors import RouteletError
    from routelet_bundler.model import Adapter, AdapterFeatures, Build, Config
    from routelet_bundler.pipeline import build

__all__ = [
    "Adapter",
    "AdapterFeatures",
    "Build",
    "Config",
    "Integration",
    "RouteletError",
    "__version__",
    "build",
]

_HOMES = {
    "Adapter": "model",
    "AdapterFeatures": "model",
    "Build": "model",
    "Config": "model",
    "Integration": "adapter",
    "RouteletError": "errors",
    "build": "pipeline",
}


def __getattr__(name: str) -> object:
    # A command line that only prints its version loads no stage (600 ms less).
    if name not in _HOMES:
        raise AttributeError(f"module 'routelet_bundler' has no attribute {name!r}")
    return getattr(import_module(f"routelet_bundler.{_HOMES[name]}"), name)
