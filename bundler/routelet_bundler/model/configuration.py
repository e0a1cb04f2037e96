"""`[tool.routelet]` as values; reading them is the business of `routelet_bundler.config`."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field


def kebab(name: str) -> str:
    """Return the key of an attribute: `trailing_slash` is written `trailing-slash`."""
    return name.replace("_", "-")


class Table(BaseModel):
    """A table of the configuration: frozen, its keys in kebab-case, unknown keys an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=AliasGenerator(alias=kebab),
        validate_by_name=False,
        strict=True,
    )


def _base(value: str) -> str:
    return "/" + value.strip("/") if value.strip("/") else "/"


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Strings = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class BuildOptions(Table):
    """`[tool.routelet.build]`."""

    format: Literal["directory", "file", "preserve"] = "directory"


class SecurityOptions(Table):
    """`[tool.routelet.security]`."""

    check_origin: bool = True


class Redirect(Table):
    """A value of `redirects`: where to, and with which status."""

    destination: str
    status: Literal[300, 301, 302, 303, 304, 307, 308] | None = None


def _redirect(value: object) -> object:
    return {"destination": value} if isinstance(value, str) else value


class RouteConfig(Table):
    """`config` of a page, and the values of `routes`: what one function needs.

    `memory` and `ephemeral_storage` are in MB, `timeout` in seconds.
    """

    memory: int | None = Field(default=None, ge=128, le=10_240)
    timeout: int | None = Field(default=None, ge=1, le=900)
    architecture: Literal["x86_64", "arm64"] | None = None
    ephemeral_storage: int | None = Field(default=None, ge=512, le=10_240)
    environment: dict[str, str] = {}
    group: str | None = None
    include: Strings = ()
    exclude: Strings = ()
    reserved_concurrency: int | None = Field(default=None, ge=0)
    snap_start: bool | None = None
    policies: Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(_as_tuple)] = ()

    def over(self, other: "RouteConfig") -> "RouteConfig":
        """Return these values, and those of `other` where nothing is said here."""
        mine = {key: getattr(self, key) for key in self.model_fields_set}
        if "environment" in mine:
            mine["environment"] = {**other.environment, **self.environment}
        return other.model_copy(update=mine)


class Config(Table):
    """The configuration of a site; attributes are the keys of the contract's section 3."""

    output: Literal["static", "hybrid", "server"] = "static"
    adapter: str | None = None
    integrations: Strings = ()
    site: str | None = None
    base: Annotated[str, AfterValidator(_base)] = "/"
    trailing_slash: Literal["always", "never", "ignore"] = "ignore"
    build: BuildOptions = BuildOptions()
    src_dir: str = "src"
    public_dir: str = "public"
    out_dir: str = "dist"
    redirects: dict[str, Annotated[Redirect, BeforeValidator(_redirect)]] = {}
    security: SecurityOptions = SecurityOptions()
    method_not_allowed: bool = False
    routes: dict[str, RouteConfig] = {}
    adapters: dict[str, dict[str, Any]] = {}


class Project(BaseModel):
    """What a build needs of `[project]`; the other keys are not routelet's to judge."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = "site"
    dependencies: tuple[str, ...] = ()
