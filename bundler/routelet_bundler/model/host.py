"""Where functions run, and what an adapter says of it."""

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from routelet_bundler.model.configuration import RouteConfig

HOST = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The minor version of the Python that runs the build."""
HOST_ARCHITECTURE: Literal["x86_64", "arm64"] = (
    "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
)
"""The architecture of this machine, in Lambda's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where functions run: on a machine like this one, unless it is said.

    `folder` is where a zip is unpacked there; bytecode names its sources below it. `provided` are
    distributions that are there already: they are left out of a zip where a function needs them
    through `provided_through` alone, all of them or none.
    """

    python: str = HOST
    """Minor version, such as `3.12`."""
    architecture: Literal["x86_64", "arm64"] = HOST_ARCHITECTURE
    glibc: str = ""
    """The newest glibc that wheels may need, as in wheel tags: `2_17`. Empty: this machine's."""
    folder: str = "/app"
    runtime: str = ""
    """What the host calls this Python, such as `python3.12`."""
    bytecode: bool | Literal["only"] = True
    """Whether `.pyc` files come along; with "only" they stand in place of their sources."""
    strip: bool = False
    """Whether shared objects of distributions lose their symbols."""
    is_audited: bool = False
    """Whether files of distributions stay only where code or recorded runs reach them."""
    recipes: tuple[str, ...] = ()
    """Distributions of whose data only what the code names comes along."""
    provided: tuple[str, ...] = ()
    provided_through: str = ""
    companions: Literal["declared", "reached", "all"] = "reached"
    """Which optional companions of reached distributions come along."""

    @property
    def platform(self) -> str:
        """The platform as uv names it."""
        machine = {"x86_64": "x86_64", "arm64": "aarch64"}[self.architecture]
        return f"{machine}-manylinux_{self.glibc}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLimits:
    """What a host has room for, of all functions of a site together.

    A site has as many `resources` as its routes, `resources_a_function` for each function, and
    `other_resources`.
    """

    integrations: int
    """Functions that one API can have behind it."""
    resources: int
    resources_a_function: int
    other_resources: int
    stored_bytes: int

    def functions(self, routes: int) -> int:
        """Return how many functions a site of so many routes may have.

        Where routes alone are too many, fewer functions do not help.
        """
        left = self.resources - self.other_resources - routes
        fitting = left // self.resources_a_function
        return min(self.integrations, fitting) if fitting > 0 else self.integrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a host refuses, in bytes; None where it does not say."""

    zipped_bytes: int | None = None
    unzipped_bytes: int | None = None
    handler_length: int | None = None
    source: str = ""
    """The page of the host's documentation that says so."""
    site: SiteLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MiddlewareHost:
    """Where a function for the middleware runs, as far as that is not where the others do."""

    config: RouteConfig
    """Its memory, timeout and architecture."""
    limits: Limits
    variables: frozenset[str] | None = None
    """The environment variables that are there; None: any."""


Split = Literal["route", "config", "auto", "single"]
"""Which routes share a function: none, those of equal configuration, what costs least, all."""

Level = Literal["stable", "experimental", "deprecated", "unsupported"]
"""How well an adapter supports a feature; a feature that it does not name is unsupported."""


@dataclass(frozen=True, slots=True)
class Assets:
    """How well an adapter serves assets, and which libraries that make images run on its host.

    The Pythons of Astro's `isSharpCompatible` and `isSquooshCompatible`: pyvips wraps the library
    that sharp wraps.
    """

    support: Level
    is_pillow_compatible: bool = False
    is_pyvips_compatible: bool = False


Support = Level | Assets | Mapping[str, Any]
"""A value of `supported_features`: its level; `assets` may say more, also as a mapping."""


@dataclass(frozen=True, slots=True)
class AdapterFeatures:
    """What the adapter wants emitted: one function per route, the middleware as its own."""

    function_per_route: bool = False
    edge_middleware: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a host needs of a build.

    `server_entrypoint` is a dotted module with `create_exports(manifest, args)` and/or
    `start(manifest, args)`; an entry module exposes the `exports` that the first one returns, and
    calls the second one where it is run as a script. A host of files alone has none.
    `memory_mb` and `timeout_s` are those of a route that says nothing.

    A field has the type that an author may write. A build goes on with what `features.taken_over`
    makes of it.
    """

    name: str
    server_entrypoint: str = ""
    exports: Sequence[str] = ()
    args: Mapping[str, Any] = field(default_factory=dict)
    """Literals, which are written into entry modules."""
    adapter_features: AdapterFeatures | Mapping[str, bool] = field(default_factory=AdapterFeatures)
    supported_features: Mapping[str, Support] = field(default_factory=dict)
    _: KW_ONLY
    target: Target = field(default_factory=Target)
    limits: Limits = field(default_factory=Limits)
    split: Split | None = None
    """None: `route` with `function_per_route`, else `single`."""
    traffic: str | None = None
    """A file with requests an hour by route, below the site's folder."""
    memory_mb: int | None = None
    timeout_s: int | None = None
    front: str | None = None
    """What stands before the functions, for templates and emulators."""
    serves_client: bool = False
    """Whether entry modules say where `client/` is, in `args["client"]`: beside them."""
    middleware_entrypoint: str | None = None
    """With `edge_middleware`: the dotted module whose `create_exports` the entry module of the
    middleware calls. None: that module exposes the composed `on_request` itself."""
    middleware_host: MiddlewareHost | None = None
    """Where the middleware runs; None: where functions do."""

    @property
    def features(self) -> AdapterFeatures:
        """What it wants emitted, however it was written."""
        given = self.adapter_features
        return given if isinstance(given, AdapterFeatures) else AdapterFeatures(**given)

    def support(self, feature: str) -> Assets:
        """Return how well a feature is supported: one that is not named is not.

        A level alone says nothing against a library.
        """
        given = self.supported_features.get(feature, "unsupported")
        if isinstance(given, str):
            return Assets(given, is_pillow_compatible=True, is_pyvips_compatible=True)
        return given if isinstance(given, Assets) else Assets(**given)
