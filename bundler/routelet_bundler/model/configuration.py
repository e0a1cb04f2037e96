"""`[tool.routelet]` as values; reading them is the business of `routelet_bundler.config`."""

import posixpath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError


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


def _site(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise PydanticCustomError("url", "Input should be a URL such as https://example.com")
    return value


def _folder(value: str) -> str:
    return posixpath.normpath(value)


def _folder_of_the_site(value: str) -> str:
    folder = _folder(value)
    if folder.startswith(("/", "..")):
        raise PydanticCustomError("folder", "Input should be a folder of the site")
    return folder


def _public_folder(value: str) -> str:
    """Refuse the site itself: its sources would be published."""
    folder = _folder_of_the_site(value)
    if folder == ".":
        raise PydanticCustomError("public", "Input should be a folder for public files alone")
    return folder


def _out_folder(value: str, info: ValidationInfo) -> str:
    """Refuse a folder that holds the site: a build replaces it whole."""
    folder = _folder(value)
    sources = (info.data.get("src_dir", ""), info.data.get("public_dir", ""))
    is_above = set(folder.split("/")) <= {".", ".."}
    if is_above or any(f"{source}/".startswith(f"{folder}/") for source in sources):
        raise PydanticCustomError("out", "Input should be a folder for the build alone")
    return folder


def _as_tuple(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise PydanticCustomError("list", "Input should be a list")
    return tuple(value)


def _policy(value: object) -> object:
    if not isinstance(value, str | dict):
        raise PydanticCustomError("policy", "Input should be a name, an ARN or a table")
    return value


OutFolder = Annotated[str, AfterValidator(_out_folder)]
FolderOfTheSite = Annotated[str, AfterValidator(_folder_of_the_site)]
Policy = Annotated[str | dict[str, Any], BeforeValidator(_policy)]
Strings = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class BuildOptions(Table):
    """`[tool.routelet.build]`."""

    format: Literal["directory", "file", "preserve"] = "directory"


class SecurityOptions(Table):
    """`[tool.routelet.security]`."""

    check_origin: bool = True


class MarkdownOptions(Table):
    """`markdown`: how `.md` pages are read."""

    raw_html: bool = False


class Redirect(Table):
    """A value of `redirects`: where to, and with which status."""

    destination: str
    status: Literal[300, 301, 302, 303, 304, 307, 308] | None = None


def _redirect(value: object) -> object:
    return {"destination": value} if isinstance(value, str) else value


MIN_STORAGE_MB = 512
"""What a function has of `/tmp` where nothing is said, which is also the least.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""


class RouteConfig(Table):
    """`config` of a page, and the values of `routes`: what one function needs.

    `memory` and `ephemeral_storage` are in MB, `timeout` in seconds.
    """

    memory: int | None = Field(default=None, ge=128, le=10_240)
    timeout: int | None = Field(default=None, ge=1, le=900)
    architecture: Literal["x86_64", "arm64"] | None = None
    ephemeral_storage: int | None = Field(default=None, ge=MIN_STORAGE_MB, le=10_240)
    environment: dict[str, str] = {}
    group: str | None = Field(default=None, min_length=1)
    include: Strings = ()
    exclude: Strings = ()
    reserved_concurrency: int | None = Field(default=None, ge=0)
    snap_start: bool | None = None
    policies: Annotated[tuple[Policy, ...], BeforeValidator(_as_tuple)] = ()

    def over(self, other: "RouteConfig") -> "RouteConfig":
        """Return these values, and those of `other` where nothing is said here."""
        mine = {key: getattr(self, key) for key in self.model_fields_set}
        if "environment" in mine:
            mine["environment"] = {**other.environment, **self.environment}
        return other.model_copy(update=mine)


class Budget(Table):
    """A value of `budget`: what the function of a route may have at most.

    Bytes are those of its zip. `modules`, `forbidden_imports` and `import_ms` are of its start: of
    what a first request imports. `import_ms` is CPU time, the least of `runs` measurements.
    """

    zipped_bytes: int | None = Field(default=None, ge=1)
    unzipped_bytes: int | None = Field(default=None, ge=1)
    modules: int | None = Field(default=None, ge=1)
    forbidden_imports: Strings = ()
    import_ms: float | None = Field(default=None, gt=0)
    runs: int = Field(default=5, ge=1, le=100)

    def over(self, other: "Budget") -> "Budget":
        """Return these values, and those of `other` where nothing is said here."""
        return other.model_copy(update={key: getattr(self, key) for key in self.model_fields_set})

    @property
    def is_of_start(self) -> bool:
        """Whether the function has to be started to know."""
        return bool(self.modules or self.forbidden_imports or self.import_ms)


class Config(Table):
    """The configuration of a site; attributes are the keys of the contract's section 3."""

    output: Literal["static", "hybrid", "server"] = "static"
    adapter: str | None = None
    integrations: Strings = ()
    site: Annotated[str, AfterValidator(_site)] | None = None
    base: Annotated[str, AfterValidator(_base)] = "/"
    trailing_slash: Literal["always", "never", "ignore"] = "ignore"
    build: BuildOptions = BuildOptions()
    src_dir: FolderOfTheSite = "src"
    public_dir: Annotated[str, AfterValidator(_public_folder)] = "public"
    out_dir: OutFolder = "dist"
    redirects: dict[str, Annotated[Redirect, BeforeValidator(_redirect)]] = {}
    security: SecurityOptions = SecurityOptions()
    markdown: MarkdownOptions = MarkdownOptions()
    method_not_allowed: bool = False
    allow_sdists: Strings = ()
    """Distributions that may be built from source, by name."""
    routes: dict[str, RouteConfig] = {}
    budget: dict[str, Budget] = {}
    adapters: dict[str, dict[str, Any]] = {}


class Project(BaseModel):
    """What a build needs of `[project]`; the other keys are not routelet's to judge."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = "site"
    dependencies: tuple[str, ...] = ()
