from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler.config import keys_at, option_table, read_config, updated
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Config, Redirect, RouteConfig, Table

Site = Callable[..., Path]

EVERY_KEY = """\
[project]
name = "shop"
dependencies = ["requests", "pyyaml>=6"]

[tool.routelet]
output = "hybrid"
adapter = "aws-lambda"
integrations = ["one:make", "two"]
site = "https://example.com/shop"
base = "docs/"
trailing-slash = "never"
build.format = "file"
src-dir = "site/src/"
public-dir = "./static"
out-dir = "../built"
security.check-origin = false
markdown.raw-html = true
method-not-allowed = true
allow-sdists = ["old-lib"]

[tool.routelet.redirects]
"/old/[id]" = "/new/[id]"
"/gone" = { destination = "https://example.com", status = 308 }

[tool.routelet.routes."/blog/[slug]"]
memory = 256
timeout = 20
architecture = "arm64"
ephemeral-storage = 1024
environment = { LEVEL = "debug" }
group = "blog"
include = ["data/*.json"]
exclude = ["data/big.json"]
reserved-concurrency = 2
snap-start = true
policies = ["AmazonS3ReadOnlyAccess", { Effect = "Allow" }]

[tool.routelet.budget."/blog/**"]
zipped-bytes = 1_000_000
unzipped-bytes = 3_000_000
modules = 120
forbidden-imports = ["boto3"]
import-ms = 80
runs = 9

[tool.routelet.adapters.aws-lambda]
memory = 512
anything = ["is", "the", "adapter's"]
"""


def mistakes_of(root: Path) -> list[RouteletError]:
    with pytest.raises(RouteletError) as told:
        read_config(root)
    return [told.value, *told.value.others]


def mistake_in(write_site: Site, table: str) -> RouteletError:
    [mistake] = mistakes_of(write_site({}, pyproject=f"[tool.routelet]\n{table}\n"))
    return mistake


def test_every_key_of_the_contract_is_read(write_site: Site) -> None:
    config, project = read_config(write_site({}, pyproject=EVERY_KEY))
    assert config.model_dump(exclude={"redirects", "routes", "budget", "adapters"}) == {
        "output": "hybrid",
        "adapter": "aws-lambda",
        "integrations": ("one:make", "two"),
        "site": "https://example.com/shop",
        "base": "/docs",
        "trailing_slash": "never",
        "build": {"format": "file"},
        "src_dir": "site/src",
        "public_dir": "static",
        "out_dir": "../built",
        "security": {"check_origin": False},
        "markdown": {"raw_html": True},
        "method_not_allowed": True,
        "allow_sdists": ("old-lib",),
    }
    assert config.redirects == {
        "/old/[id]": Redirect.model_validate({"destination": "/new/[id]"}),
        "/gone": Redirect.model_validate({"destination": "https://example.com", "status": 308}),
    }
    assert config.routes["/blog/[slug]"].model_dump() == {
        "memory": 256,
        "timeout": 20,
        "architecture": "arm64",
        "ephemeral_storage": 1024,
        "environment": {"LEVEL": "debug"},
        "group": "blog",
        "include": ("data/*.json",),
        "exclude": ("data/big.json",),
        "reserved_concurrency": 2,
        "snap_start": True,
        "policies": ("AmazonS3ReadOnlyAccess", {"Effect": "Allow"}),
    }
    assert config.adapters["aws-lambda"]["memory"] == 512
    assert (project.name, project.dependencies) == ("shop", ("requests", "pyyaml>=6"))
    assert config.budget["/blog/**"].model_dump() == {
        "zipped_bytes": 1_000_000,
        "unzipped_bytes": 3_000_000,
        "modules": 120,
        "forbidden_imports": ("boto3",),
        "import_ms": 80,
        "runs": 9,
    }


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[tool.other]\n[tool.routelet]\n"])
def test_a_site_that_says_nothing_has_the_defaults_of_the_contract(
    write_site: Site, text: str
) -> None:
    config, _ = read_config(write_site({}, pyproject=text))
    assert config == Config()
    assert config.model_dump() == {
        "output": "static",
        "adapter": None,
        "integrations": (),
        "site": None,
        "base": "/",
        "trailing_slash": "ignore",
        "build": {"format": "directory"},
        "src_dir": "src",
        "public_dir": "public",
        "out_dir": "dist",
        "redirects": {},
        "security": {"check_origin": True},
        "markdown": {"raw_html": False},
        "method_not_allowed": False,
        "allow_sdists": (),
        "routes": {},
        "budget": {},
        "adapters": {},
    }


@pytest.mark.parametrize("base", ["docs", "/docs", "docs/", "/docs/", "//docs//"])
def test_a_base_is_written_with_or_without_slashes(write_site: Site, base: str) -> None:
    text = f'[tool.routelet]\nbase = "{base}"\n'
    config, _ = read_config(write_site({}, pyproject=text))
    assert config.base == "/docs"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('output = "staic"', "'static', 'hybrid' or 'server'"),
        ("adapter = 3", '"adapter"'),
        ('integrations = "one:make"', "a list"),
        ("integrations = [1]", '"integrations.0"'),
        ('site = "example.com"', "a URL such as"),
        ('site = "ftp://example.com"', "a URL such as"),
        ('site = "http://[::1"', "Invalid IPv6 URL"),
        ("base = 1", '"base"'),
        ('trailing-slash = "sometimes"', "'always', 'never' or 'ignore'"),
        ('build.format = "files"', "'directory', 'file' or 'preserve'"),
        ("build = 1", '"build"'),
        ("src-dir = 1", '"src-dir"'),
        ('src-dir = "../src"', "a folder of the site"),
        ('public-dir = "/var/www"', "a folder of the site"),
        ('public-dir = "./."', "a folder for public files alone"),
        ('out-dir = "."', "a folder for the build alone"),
        ('out-dir = "dist/../.."', "a folder for the build alone"),
        ('out-dir = "src"', "a folder for the build alone"),
        ('out-dir = "./public/"', "a folder for the build alone"),
        ('redirects = { "/a" = 1 }', '"redirects./a"'),
        ('redirects = { "/a" = { status = 301 } }', '"redirects./a.destination"'),
        ('redirects = { "/a" = { destination = "/b", status = 200 } }', "300, 301, 302"),
        ('security.check-origin = "yes"', '"security.check-origin"'),
        ("method-not-allowed = 1", '"method-not-allowed"'),
        ('routes."/a".memory = 100', "greater than or equal to 128"),
        ('routes."/a".memory = "256"', "a valid integer"),
        ('routes."/a".timeout = 901', "less than or equal to 900"),
        ('routes."/a".architecture = "x64"', "'x86_64' or 'arm64'"),
        ('routes."/a".ephemeral-storage = 100', "greater than or equal to 512"),
        ('routes."/a".environment = { A = 1 }', '"routes./a.environment.A"'),
        ('routes."/a".group = 1', '"routes./a.group"'),
        ('routes."/a".include = "*"', "a list"),
        ('routes."/a".exclude = [1]', '"routes./a.exclude.0"'),
        ('routes."/a".reserved-concurrency = -1', "greater than or equal to 0"),
        ('routes."/a".snap-start = "on"', '"routes./a.snap-start"'),
        ('routes."/a".policies = [1]', "a name, an ARN or a table"),
        ('adapters.aws-lambda = "x"', '"adapters.aws-lambda"'),
    ],
)
def test_a_wrong_value_is_told_with_its_key_and_line(
    write_site: Site, line: str, what: str
) -> None:
    mistake = mistake_in(write_site, line)
    assert what in mistake.what
    assert mistake.where == "pyproject.toml:2"
    assert mistake.status == WRONG_USE


@pytest.mark.parametrize(
    ("line", "key", "near"),
    [
        ('ouput = "static"', "ouput", "output"),
        ('trailing_slash = "never"', "trailing_slash", "trailing-slash"),
        ('build.fromat = "file"', "fromat", "format"),
        ("security.check-orign = true", "check-orign", "check-origin"),
        ('redirects = { "/a" = { destination = "/b", stauts = 301 } }', "stauts", "status"),
        ('routes."/a/[b]".memry = 256', "memry", "memory"),
    ],
)
def test_a_wrong_key_names_the_nearest_right_one(
    write_site: Site, line: str, key: str, near: str
) -> None:
    mistake = mistake_in(write_site, line)
    assert mistake.what == f'unknown key "{key}"'
    assert mistake.mend == f'did you mean "{near}"?'
    assert (mistake.where, mistake.status) == ("pyproject.toml:2", WRONG_USE)


def test_a_key_like_no_other_has_no_guess(write_site: Site) -> None:
    assert mistake_in(write_site, "qwxzy = 1").mend == ""


def test_all_mistakes_are_told_at_once_each_with_its_line(write_site: Site) -> None:
    text = """\
[tool.routelet]
output = "staic"
bse = "/docs"

[tool.routelet.routes."/api/[id]"]
memory = 1

[tool.routelet.redirects]
"/old" = { destination = "/new", status = 200 }
"""
    found = mistakes_of(write_site({}, pyproject=text))
    assert {mistake.where for mistake in found} == {
        f"pyproject.toml:{line}" for line in (2, 3, 6, 9)
    }
    assert {mistake.status for mistake in found} == {WRONG_USE}
    assert all(mistake.what in str(found[0]) for mistake in found)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[tool.routelet]\noutput = \n", "pyproject.toml:2", "no valid TOML"),
        ("[tool]\nroutelet = 1\n", "pyproject.toml:2", '"routelet"'),
        ("[project]\ndependencies = 'requests'\n", "pyproject.toml:2", '"dependencies"'),
        ("[project]\nname = 1\n", "pyproject.toml:2", '"name"'),
        ("project = 1\n", "pyproject.toml:1", '"project"'),
        (b"[tool.routelet]\nsite = '\xff'\n", "pyproject.toml", "no UTF-8 text"),
    ],
)
def test_a_file_that_is_no_configuration_is_told(
    write_site: Site, text: str | bytes, where: str, what: str
) -> None:
    [mistake] = mistakes_of(write_site({"pyproject.toml": text}))
    assert what in mistake.what
    assert (mistake.where, mistake.status) == (where, WRONG_USE)


def test_a_tool_that_is_no_table_is_not_routelets_to_judge(write_site: Site) -> None:
    assert read_config(write_site({}, pyproject="tool = 1\n"))[0] == Config()


def test_a_folder_without_pyproject_is_told(tmp_path: Path) -> None:
    [mistake] = mistakes_of(tmp_path)
    assert "there is no pyproject.toml" in mistake.what
    assert "--root" in mistake.mend
    assert mistake.status == WRONG_USE


def test_an_update_changes_what_it_names_and_keeps_the_rest() -> None:
    before = Config.model_validate(
        {"redirects": {"/a": "/b"}, "routes": {"/c": {"include": ["*.json"]}}, "base": "/docs"}
    )
    after = updated(before, {"trailing_slash": "never", "build": {"format": "file"}})
    assert (after.trailing_slash, after.build.format) == ("never", "file")
    assert (after.base, after.redirects, after.routes) == ("/docs", before.redirects, before.routes)
    assert updated(before, {}) is before


@pytest.mark.parametrize(
    ("changes", "what", "mend"),
    [
        ({"trailing_slsh": "never"}, "trailing-slsh", 'did you mean "trailing-slash"?'),
        ({"output": "both"}, "output", ""),
    ],
)
def test_a_faulty_update_is_told(changes: dict[str, object], what: str, mend: str) -> None:
    with pytest.raises(RouteletError) as told:
        updated(Config(), changes)
    assert what in told.value.what
    assert (told.value.mend, told.value.status) == (mend, WRONG_USE)


class Options(Table):
    memory_size: int = 128
    names: dict[str, int] | None = None


def test_options_of_a_factory_are_read_by_their_keywords() -> None:
    assert option_table(Options, {"memory_size": 256}).memory_size == 256


def test_faulty_options_are_told_by_their_keys() -> None:
    with pytest.raises(RouteletError) as told:
        option_table(Options, {"memory_size": "big", "memry_size": 1, "names": {"a": "b"}})
    found = [told.value, *told.value.others]
    assert {mistake.where for mistake in found} == {"memory-size", "memry-size", "names.a"}
    assert 'did you mean "memory-size"?' in {mistake.mend for mistake in found}


def test_keys_are_listed_for_a_table_and_for_the_values_of_a_table_of_tables() -> None:
    assert keys_at(Config, ("security",)) == ("check-origin",)
    assert keys_at(Config, ("redirects", "/a")) == ("destination", "status")
    assert "ephemeral-storage" in keys_at(Config, ("routes", "/api/**"))
    assert keys_at(Config, ("adapters", "aws-lambda")) == ()


def test_a_routes_own_values_are_laid_over_others() -> None:
    own = RouteConfig(memory=256, environment={"A": "own", "B": "own"})
    other = RouteConfig(memory=512, timeout=20, environment={"B": "other", "C": "other"})
    merged = own.over(other)
    assert (merged.memory, merged.timeout) == (256, 20)
    assert merged.environment == {"A": "own", "B": "own", "C": "other"}
    assert merged.over(RouteConfig(memory=1024, group="g")).memory == 256
