"""Where functions run, and what an adapter says of it."""

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from pydantic import PositiveInt

from routelet_bundler.model.configuration import RouteConfig

HOST = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The minor version of the Python that runs the build."""
HOST_ARCHITECTURE: Literal["x86_64", "arm64"] = (
    "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
)
"""The architecture of this machine, in Lambda's words."""

_IMPORTED_AS = {"python-dateutil": "dateutil"}
"""Import names of distributions that differ from their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where functions run: on a machine like this one, unless it is said."""

    python: str = HOST
    """Minor version, such as `3.12`."""
    architecture: Literal["x86_64", "arm64"] = HOST_ARCHITECTURE
    """For what wheels are installed; a route's `config` may name the other one."""
    glibc: str = ""
    """The newest glibc that wheels may need, as in wheel tags: `2_17`. Empty: this machine's."""
    folder: str = "/app"
    """Where a zip is unpacked there: bytecode names its sources below it."""
    runtime: str = ""
    """Lambda's name of this Python, such as `python3.12`; empty for any other host."""
    bytecode: bool | Literal["only"] = True
    """Whether `.pyc` files come along; with "only" they stand in place of their sources."""
    strip: bool = False
    """Whether shared objects of distributions lose their symbols."""
    is_audited: bool = False
    """Whether files of distributions stay only where code or recorded runs reach them."""
    recipes: tuple[str, ...] = ()
    """Distributions of whose data only what the code names comes along."""
    provided: tuple[str, ...] = ()
    """Distributions that are there already, by normalised name. A function packs all that it needs
    of them, or none: none where it imports one that the site has not installed."""
    provided_through: str = ""
    """One of `provided`. A function that imports it packs none of them even where the site has
    them installed, unless it imports another one that the site names in its dependencies."""
    companions: Literal["declared", "reached", "all"] = "reached"
    """Which optional companions of reached distributions come along."""

    @property
    def provided_modules(self) -> Mapping[str, str]:
        """Provided distributions by the names that they are imported by."""
        return {_IMPORTED_AS.get(name, name.replace("-", "_")): name for name in self.provided}

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
    """What one deployment may consist of."""
    resources_a_function: int
    other_resources: int
    stored_bytes: int
    """Of all zips together."""

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
    """In characters: a function whose handler would be longer has its entry module at the root."""
    source: str = ""
    """The page of the host's documentation that says so."""
    site: SiteLimits | None = None
    """Of all functions together, which `split = "auto"` keeps within."""


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
    """Whether a function that has Pillow runs there; one that has it is an error otherwise."""
    is_pyvips_compatible: bool = False
    """The same of pyvips."""


Support = Level | Assets | Mapping[str, Any]
"""A value of `supported_features`: its level; `assets` may say more, also as a mapping."""


@dataclass(frozen=True, slots=True)
class AdapterFeatures:
    """What the adapter wants emitted."""

    function_per_route: bool = False
    """Whether each route on demand is a function of its own, or all of them are one."""
    edge_middleware: bool = False
    """Whether the middleware is a function of its own, before all others, and in no other."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a host needs of a build.

    A field has the type that an author may write. A build goes on with what `features.taken_over`
    makes of it.
    """

    name: str
    """What people know it by: messages and routelet.json say it."""
    server_entrypoint: str = ""
    """A dotted module with `create_exports(manifest, args)` and/or `start(manifest, args)`: entry
    modules call the first one for what they expose, the second one where they are run as scripts.
    A host of files alone has none."""
    exports: Sequence[str] = ()
    """Of what `create_exports` returns, the names that an entry module exposes. The first one is
    the function's handler."""
    args: Mapping[str, Any] = field(default_factory=dict)
    """Literals, which are written into entry modules and handed to the server entrypoint."""
    adapter_features: AdapterFeatures | Mapping[str, bool] = field(default_factory=AdapterFeatures)
    supported_features: Mapping[str, Support] = field(default_factory=dict)
    """Levels of `static_output`, `hybrid_output`, `server_output`, `assets`, `i18n_domains` and
    `env_get_secret`; one that is not named is unsupported."""
    _: KW_ONLY
    target: Target = field(default_factory=Target)
    """For what functions are built."""
    limits: Limits = field(default_factory=Limits)
    """What the host refuses: a build over it fails."""
    split: Split | None = None
    """None: `route` with `function_per_route`, else `single`."""
    traffic: str | None = None
    """A file with requests an hour by route, below the site's folder."""
    memory_mb: PositiveInt | None = None
    """Of a function whose routes say nothing."""
    timeout_s: PositiveInt | None = None
    """Of a function whose routes say nothing."""
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
