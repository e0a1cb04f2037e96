"""The one version of routelet: runtime, bundler and templates move together."""

__version__ = "0.1.0"
