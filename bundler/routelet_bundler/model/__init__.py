"""The values that stages hand on, in the order they come to be. Nothing here does I/O."""

from routelet_bundler.model.build import Build, BuiltFunction, Prerendered, Verdict, Zip
from routelet_bundler.model.configuration import (
    BuildOptions,
    Config,
    MarkdownOptions,
    Project,
    Redirect,
    RouteConfig,
    SecurityOptions,
    Strings,
    Table,
    kebab,
)
from routelet_bundler.model.function import (
    Distribution,
    Function,
    Planned,
    Reason,
    Rewrite,
    Traced,
    TracedFile,
)
from routelet_bundler.model.host import Adapter, AdapterFeatures, Level, Limits, Target
from routelet_bundler.model.site import Kind, Page, Site

__all__ = [
    "Adapter",
    "AdapterFeatures",
    "Build",
    "BuildOptions",
    "BuiltFunction",
    "Config",
    "Distribution",
    "Function",
    "Kind",
    "Level",
    "Limits",
    "MarkdownOptions",
    "Page",
    "Planned",
    "Prerendered",
    "Project",
    "Reason",
    "Redirect",
    "Rewrite",
    "RouteConfig",
    "SecurityOptions",
    "Site",
    "Strings",
    "Table",
    "Target",
    "Traced",
    "TracedFile",
    "Verdict",
    "Zip",
    "kebab",
]
