import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routelet_bundler.configure import Configured, configure
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Adapter

Site = Callable[..., Path]

MOON = """\
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from routelet_bundler.adapter import Adapter, Integration, Table, Target, option_table

class Options(Table):
    region: str = "near"
    crew_size: int = 2

class Map:
    pass

class Moon(Integration):
    name = "moon"

    def __init__(self, options):
        self.options = options

    def config_done(self, payload):
        payload.set_adapter(
            Adapter(
                name=f"moon-{self.options.region}-{self.options.crew_size}",
                server_entrypoint="moon_server",
                target=Target(python="3.12", architecture="x86_64", glibc="2_34"),
                supported_features={"hybrid_output": "experimental", "server_output": "stable"},
            )
        )

def make(**options):
    return Moon(option_table(Options, options))

def strict(*, crew_size=2):
    return make(crew_size=crew_size)

def annotated(region: str = "near", crew_size: int = 2, stops: tuple[Path, ...] = ()) -> Moon:
    assert all(isinstance(one, Path) for one in stops)
    return make(region=region, crew_size=crew_size)

def repeated(crew_size: Iterable[int] = ()) -> Moon:
    assert list(crew_size) == list(crew_size)
    return make(crew_size=sum(crew_size))

def odd(crew_size: Annotated[str, Field(pattern="(?=x)")] = "") -> Moon:
    return make(crew_size=len(crew_size))

def unresolved(crew_size: "Size" = 2) -> "Moon":
    return make(crew_size=len(crew_size))

class Landing(Moon):
    def __init__(self, crew_size: "int | None" = None, map: Map = Map()) -> None:
        super().__init__(Options(**{"crew-size": crew_size}))

def nothing():
    return None
"""
SILENT = """\
from routelet_bundler.adapter import Integration

def silent():
    return Integration()

class Late(Integration):
    name = "late"

    def config_done(self, payload):
        self.set_adapter = payload.set_adapter

class NoAdapter(Integration):
    name = "no-adapter"

    def config_done(self, payload):
        payload.set_adapter("aws-lambda")
"""
INTEGRATION = """\
from routelet_bundler.adapter import Integration

class Slashes(Integration):
    name = "slashes"

    def config_setup(self, payload):
        self.command = payload.command
        payload.update_config(trailing_slash="never", site="https://example.com")

class After(Integration):
    name = "after"

    def config_setup(self, payload):
        assert payload.config.trailing_slash == "never"
        payload.update_config(base=payload.config.site.rpartition("/")[2])

class Faulty(Integration):
    name = "faulty"

    def config_setup(self, payload):
        payload.update_config(trailing_slsh="never")

class Failing(Integration):
    name = "failing"

    def config_setup(self, payload):
        raise LookupError("no disk")

class SlashesToo(Integration):
    name = "slashes"

class Unnamed(Integration):
    name = ""

class NamedNone(Integration):
    name = None

class ChangesTable(Integration):
    name = "in-place"

    def config_setup(self, payload):
        payload.config.redirects["/a"] = "/b"

class ChangesTableLate(Integration):
    name = "in-place"

    def config_done(self, payload):
        payload.config.adapters["x"] = {}

def telling():
    from routelet_bundler.adapter import RouteletError
    raise RouteletError("no host", where="integration telling", mend="write a host")
"""


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Let each test import modules of the same names from a site of its own."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if not name.startswith("routelet"):
            del sys.modules[name]


def configured(write_site: Site, table: str) -> Configured:
    files = {"moon.py": MOON, "silent.py": SILENT, "tools/plug.py": INTEGRATION}
    return configure(write_site(files, pyproject=f"[tool.routelet]\n{table}\n"), "build")


def mistake_of(write_site: Site, table: str) -> RouteletError:
    with pytest.raises(RouteletError) as told:
        configured(write_site, table)
    return told.value


def test_a_shipped_adapter_is_found_by_its_name(write_site: Site) -> None:
    found = configured(write_site, 'output = "server"\nadapter = "aws-lambda"')
    assert found.adapter is not None
    assert (found.adapter.name, found.adapter.exports) == ("aws-lambda", ("handler",))
    assert found.adapter.features.function_per_route
    assert found.warnings == ()
    assert found.target is found.adapter.target


def test_an_adapter_of_the_site_is_found_by_module_and_factory(write_site: Site) -> None:
    path = list(sys.path)
    found = configured(write_site, 'output = "server"\nadapter = "moon:make"')
    assert found.adapter is not None
    assert found.adapter.name == "moon-near-2"
    assert sys.path == path


def test_options_are_those_of_the_adapters_own_table(write_site: Site) -> None:
    found = configured(
        write_site,
        'output = "server"\nadapter = "moon:make"\n'
        '[tool.routelet.adapters."moon:make"]\nregion = "far"\ncrew-size = 3\n'
        "[tool.routelet.adapters.aws-lambda]\nmemory = 256",
    )
    assert found.adapter is not None
    assert found.adapter.name == "moon-far-3"


@pytest.mark.parametrize(
    ("table", "line", "what", "mend"),
    [
        ('adapter = "aws-lamda"', 2, 'the adapter "aws-lamda"', 'did you mean "aws-lambda"?'),
        ('adapter = "netlify"', 2, 'the adapter "netlify"', "module:factory"),
        ('\nintegrations = ["x"]', 3, 'the integration "x"', "module:factory"),
        ('adapter = "mooon:make"', 2, "No module named 'mooon'", ""),
        ('adapter = "moon:mkae"', 2, "no attribute 'mkae'", ""),
        ('integrations = ["moon:mkae"]', 2, "no attribute 'mkae'", ""),
        ('output = "hybrid"', 2, 'output = "hybrid" needs an adapter', 'adapter = "aws-lambda"'),
        ('output = "server"', 2, 'output = "server" needs an adapter', 'output = "static"'),
    ],
)
def test_an_adapter_that_is_not_there_is_told_with_its_line(
    write_site: Site, table: str, line: int, what: str, mend: str
) -> None:
    mistake = mistake_of(write_site, table)
    assert what in mistake.what
    assert mend in mistake.mend
    assert (mistake.where, mistake.status) == (f"pyproject.toml:{line}", WRONG_USE)


@pytest.mark.parametrize(
    ("adapter", "option", "what", "mend"),
    [
        ("moon:make", "crew-sze = 3", 'unknown key "crew-sze"', 'did you mean "crew-size"?'),
        ("moon:make", 'crew-size = "three"', '"crew-size": Input should be a valid integer', ""),
        ("moon:annotated", 'crew-size = "3"', '"crew-size": Input should be a valid integer', ""),
        ("moon:annotated", "crew-size = true", "a valid integer, not True", ""),
        ("moon:annotated", "stops = [1]", '"stops.0": Input should be', ""),
        ("moon:Landing", 'crew-size = "3"', "a valid integer, not '3'", ""),
        ("moon:strict", "crew-sise = 3", 'unknown key "crew-sise"', 'did you mean "crew-size"?'),
        ("aws-lambda", "memry = 256", 'unknown key "memry"', 'did you mean "memory"?'),
        ("aws-lambda", "memory = 64", "greater than or equal to 128", ""),
        ("aws-lambda", 'runtime = "python3.9"', "'python3.10'", ""),
        ("aws-lambda", 'front = "alb"', "not in this version", "leave the key out"),
    ],
)
def test_a_faulty_option_is_told_with_its_line(
    write_site: Site, adapter: str, option: str, what: str, mend: str
) -> None:
    table = f'output = "server"\nadapter = "{adapter}"\n[tool.routelet.adapters."{adapter}"]\n'
    mistake = mistake_of(write_site, f"{table}{option}")
    assert what in mistake.what
    assert mistake.mend == mend
    assert mistake.where == "pyproject.toml:5"
    assert mistake.status == WRONG_USE


@pytest.mark.parametrize(
    ("factory", "options", "name"),
    [
        ("annotated", 'region = "far"\ncrew-size = 3\nstops = ["a", "b/c"]', "moon-far-3"),
        ("unresolved", 'crew-size = "four"', "moon-near-4"),
        ("repeated", "crew-size = [1, 2]", "moon-near-3"),
        ("odd", 'crew-size = "four"', "moon-near-4"),
        ("Landing", 'crew-size = 3\nmap = "of its own kind"', "moon-near-3"),
    ],
)
def test_options_are_as_the_factory_annotates_them(
    write_site: Site, factory: str, options: str, name: str
) -> None:
    table = f'output = "server"\nadapter = "moon:{factory}"\n'
    found = configured(write_site, f'{table}[tool.routelet.adapters."moon:{factory}"]\n{options}')
    assert found.adapter is not None
    assert found.adapter.name == name


def test_all_options_that_are_not_as_annotated_are_told_at_once(write_site: Site) -> None:
    table = 'adapter = "moon:annotated"\n[tool.routelet.adapters."moon:annotated"]\n'
    mistake = mistake_of(write_site, f'{table}region = 1\ncrew-size = "2"')
    places = [one.where for one in (mistake, *mistake.others)]
    assert places == ["pyproject.toml:4", "pyproject.toml:5"]


def test_all_faulty_options_are_told_at_once(write_site: Site) -> None:
    mistake = mistake_of(
        write_site,
        'output = "server"\nadapter = "aws-lambda"\n'
        "[tool.routelet.adapters.aws-lambda]\nmemory = 1\ntimeout = 0\nfornt = 1",
    )
    places = {one.where for one in (mistake, *mistake.others)}
    assert places == {"pyproject.toml:5", "pyproject.toml:6", "pyproject.toml:7"}


def test_what_a_factory_gives_has_to_be_an_integration(write_site: Site) -> None:
    mistake = mistake_of(write_site, 'adapter = "moon:nothing"')
    assert mistake.what == '"moon:nothing" gave None, no Integration'
    assert mistake.status == WRONG_USE


def test_two_adapters_are_one_too_many(write_site: Site) -> None:
    mistake = mistake_of(
        write_site, 'output = "server"\nadapter = "aws-lambda"\nintegrations = ["moon:make"]'
    )
    assert (
        mistake.what == "two adapters are set: moon-near-2 (by moon) and aws-lambda (by aws-lambda)"
    )
    assert mistake.status == WRONG_USE


def test_an_integration_may_set_the_adapter(write_site: Site) -> None:
    found = configured(write_site, 'output = "server"\nintegrations = ["moon:make"]')
    assert found.adapter is not None
    assert found.adapter.name == "moon-near-2"


def test_a_feature_in_use_is_judged(write_site: Site) -> None:
    found = configured(write_site, 'output = "hybrid"\nadapter = "moon:make"')
    [warning] = found.warnings
    assert warning.startswith("the adapter moon-near-2 supports hybrid_output experimentally")
    mistake = mistake_of(write_site, 'output = "static"\nadapter = "moon:make"')
    assert "does not support" in mistake.what


def test_a_static_site_needs_no_adapter(write_site: Site) -> None:
    found = configured(write_site, "")
    assert (found.adapter, found.integrations) == (None, ())
    assert found.target.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_integrations_change_the_configuration_one_after_the_other(write_site: Site) -> None:
    found = configured(write_site, 'integrations = ["tools.plug:Slashes", "tools.plug:After"]')
    assert [one.name for one in found.integrations] == ["slashes", "after"]
    assert (found.config.trailing_slash, found.config.base) == ("never", "/example.com")
    assert getattr(found.integrations[0], "command") == "build"  # noqa: B009 - the site's own


def test_a_faulty_change_is_told(write_site: Site) -> None:
    mistake = mistake_of(write_site, 'integrations = ["tools.plug:Faulty"]')
    assert mistake.what == 'update_config: unknown key "trailing-slsh"'
    assert mistake.where == "integration faulty, config_setup"
    assert mistake.mend == 'did you mean "trailing-slash"?'
    assert mistake.status == WRONG_USE


@pytest.mark.parametrize("name", ["ChangesTable", "ChangesTableLate"])
def test_a_table_that_a_hook_changes_in_place_is_told(write_site: Site, name: str) -> None:
    mistake = mistake_of(write_site, f'integrations = ["tools.plug:{name}"]')
    assert "in place" in mistake.what
    assert mistake.where.startswith("integration in-place, config_")
    assert mistake.status == WRONG_USE


@pytest.mark.parametrize("second", ["tools.plug:SlashesToo", "tools.plug:Slashes"])
def test_two_integrations_of_one_name_are_refused(write_site: Site, second: str) -> None:
    """They would share a folder: the middleware of one was written over by the other."""
    mistake = mistake_of(write_site, f'integrations = ["tools.plug:Slashes", "{second}"]')
    assert mistake.what.startswith("two integrations are called ")
    assert (mistake.where, mistake.status) == ("pyproject.toml:2", WRONG_USE)


@pytest.mark.parametrize("name", ["Unnamed", "NamedNone"])
def test_an_integration_without_a_name_is_refused(write_site: Site, name: str) -> None:
    mistake = mistake_of(write_site, f'integrations = ["tools.plug:{name}"]')
    assert mistake.what.endswith("gave an Integration without a name")
    assert (mistake.where, mistake.status) == ("pyproject.toml:2", WRONG_USE)


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("import os\ndef make(:\n", "cannot be loaded: SyntaxError", 2),
        ("x = 1\n1 / 0\n", "cannot be loaded: ZeroDivisionError: division by zero", 2),
        ("def make(size):\n    pass\n", "gives no integration: TypeError", None),
        ("import json\n\ndef make():\n    json.loads('x')\n", "JSONDecodeError", 4),
        ("make = 3\n", "is 3, which makes nothing", None),
    ],
)
def test_a_module_of_integrations_that_fails_is_told_with_its_line(
    write_site: Site, tmp_path: Path, text: str, what: str, line: int | None
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/broken.py").write_text(text)
    mistake = mistake_of(write_site, 'integrations = ["broken:make"]')
    assert what in mistake.what
    assert mistake.where == (
        f"{tmp_path}/site/broken.py:{line}" if line is not None else "pyproject.toml:2"
    )
    assert mistake.status == WRONG_USE


@pytest.mark.parametrize("name", [":make", "..plug:make", "gone:make", "silent:gone", "silent:"])
def test_what_cannot_be_loaded_is_told_with_the_line_that_names_it(
    write_site: Site, name: str
) -> None:
    mistake = mistake_of(write_site, f'integrations = ["{name}"]')
    assert mistake.what.startswith(f'"{name}" cannot be loaded')
    assert (mistake.where, mistake.status) == ("pyproject.toml:2", WRONG_USE)


def test_a_mistake_that_the_factory_of_an_integration_tells_keeps_its_place(
    write_site: Site,
) -> None:
    mistake = mistake_of(write_site, 'integrations = ["tools.plug:telling"]')
    assert (mistake.where, mistake.mend) == ("integration telling", "write a host")


def test_a_hook_that_fails_is_told(write_site: Site, tmp_path: Path) -> None:
    mistake = mistake_of(write_site, 'integrations = ["tools.plug:Failing"]')
    assert mistake.where == f"{tmp_path}/site/tools/plug.py:27"
    assert mistake.what == "the integration failing failed in config_setup: LookupError('no disk')"


def test_two_sites_of_one_process_have_each_its_own_modules(tmp_path: Path) -> None:
    for number in (1, 2):
        root = tmp_path / str(number)
        root.mkdir()
        (root / "moon.py").write_text(MOON.replace('"near"', f'"near{number}"'))
        (root / "pyproject.toml").write_text(
            '[tool.routelet]\noutput = "server"\nadapter = "moon:make"\n'
        )
        adapter = configure(root, "build").adapter
        assert adapter is not None
        assert adapter.name == f"moon-near{number}-2"


def test_an_adapter_that_sets_none_is_told(write_site: Site) -> None:
    mistake = mistake_of(write_site, 'output = "server"\nadapter = "silent:silent"')
    assert mistake.what == '"silent:silent" never called set_adapter'
    assert mistake.status == WRONG_USE


def test_what_is_no_adapter_is_refused_in_the_name_of_the_integration(write_site: Site) -> None:
    mistake = mistake_of(write_site, 'output = "server"\nadapter = "silent:NoAdapter"')
    assert mistake.what == "set_adapter takes an Adapter, not 'aws-lambda'"
    assert (mistake.where, mistake.status) == ("integration no-adapter, config_done", WRONG_USE)


def test_an_adapter_that_is_set_after_the_hook_is_refused(write_site: Site) -> None:
    found = configured(write_site, 'integrations = ["silent:Late"]')
    late = getattr(found.integrations[0], "set_adapter")  # noqa: B009 - the site's own
    with pytest.raises(RouteletError, match="set_adapter is called after the hook") as told:
        late(Adapter("moon"))
    assert (told.value.where, told.value.status) == ("integration late, config_done", WRONG_USE)
