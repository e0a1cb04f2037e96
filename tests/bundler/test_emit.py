import runpy
import sys
from dataclasses import replace
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet_bundler.discover.names import parse_route
from routelet_bundler.emit import entry_module as text_of
from routelet_bundler.emit import has_start
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import (
    Adapter,
    Page,
    Planned,
    Reason,
    RouteConfig,
    Target,
    Traced,
    TracedFile,
)

ADAPTER = Adapter(
    name="moon",
    server_entrypoint="moon_server",
    exports=("handler", "other"),
    args={"front": None, "text": 'it\'s """ \\'},
    target=Target(python="3.12", architecture="x86_64", glibc="2_34"),
)
NOTHING = Traced(files=(), distributions=())
SERVER = """\
def create_exports(manifest, args):
    return {"handler": lambda: (manifest, args), "other": 2, "unused": 3}
"""


def page(file: str) -> Page:
    return Page(
        route=parse_route(file),
        source=Path(file),
        file=file,
        kind="py",
        digest="0",
        prerender=False,
        has_static_paths=False,
        module="pages.a",
        entry="pages/entry_a.py",
        config=RouteConfig(),
    )


def planned(*files: str, on_disk: str = "pages/entry_a.py") -> Planned:
    pages = tuple(page(file) for file in files)
    return Planned(
        name="a",
        pages=pages,
        reached=(),
        entry=on_disk,
        entry_on_disk=on_disk,
        handler="pages/entry_a.handler",
        config=RouteConfig(),
        manifest={"routes": tuple({"route": page.route.route} for page in pages)},
        modules=("moon_server", "pages.a"),
    )


def with_templates() -> Traced:
    file = TracedFile(
        archive="site_templates/a.py",
        source=Path("a.py"),
        reason=Reason(kind="import"),
        label="site_templates/a.py",
    )
    return replace(NOTHING, files=(file,))


def entry_module(one: Planned, traced: Traced, adapter: Adapter, *, starts: bool = False) -> str:
    return text_of(one, traced, adapter, starts=starts)


def served_by(tmp_path: Path, text: str) -> Traced:
    (tmp_path / "moon_server.py").write_text(text)
    file = TracedFile(
        archive="moon_server.py",
        source=tmp_path / "moon_server.py",
        reason=Reason(kind="import"),
        label="moon_server.py",
    )
    return replace(NOTHING, files=(file,))


def compiled(text: str) -> CodeType:
    return compile(text, "entry.py", "exec")


def test_an_entry_exposes_the_adapters_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moon_server.py").write_text(SERVER)
    (tmp_path / "entry_a.py").write_text(entry_module(planned("a.py"), NOTHING, ADAPTER))
    monkeypatch.syspath_prepend(str(tmp_path))
    module = runpy.run_path(str(tmp_path / "entry_a.py"))
    assert module["handler"]() == ({"routes": ({"route": "/a"},)}, dict(ADAPTER.args))
    assert module["other"] == 2
    assert "unused" not in module
    del sys.modules["moon_server"]


def test_an_entry_imports_its_server_and_nothing_else() -> None:
    assert compiled(entry_module(planned("a.py"), NOTHING, ADAPTER)).co_names[:2] == (
        "__doc__",
        "moon_server",
    )


def test_an_adapter_without_exports_is_only_imported() -> None:
    text = entry_module(planned("a.py"), NOTHING, replace(ADAPTER, exports=()))
    assert compiled(text)
    assert "create_exports" not in text


@pytest.mark.parametrize("on_disk", ["entry.py", "pages/entry_a.py", "pages/b/c/entry_a.py"])
def test_an_entry_in_place_finds_the_compiled_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: str
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/moon_server.py").write_text(SERVER)
    entry = tmp_path / "dist" / on_disk
    entry.parent.mkdir(parents=True)
    entry.write_text(entry_module(planned("a.py", on_disk=on_disk), with_templates(), ADAPTER))
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    for _ in range(2):
        runpy.run_path(str(entry))
    assert sys.path.count(str(tmp_path / "dist")) == 1
    del sys.modules["moon_server"]


def test_an_entry_without_templates_that_is_no_script_leaves_the_path_alone() -> None:
    assert "sys.path" not in entry_module(planned("a.py"), NOTHING, ADAPTER)
    assert "sys.path" in entry_module(planned("a.py"), NOTHING, ADAPTER, starts=True)
    middleware = replace(planned("a.py"), is_middleware=True)
    assert "sys.path" not in entry_module(middleware, NOTHING, ADAPTER, starts=True)


def test_the_same_plan_gives_the_same_text() -> None:
    texts = {entry_module(planned("a.py", "[b].py"), NOTHING, ADAPTER) for _ in range(3)}
    assert len(texts) == 1


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_an_entry_of_any_route_compiles(text: str) -> None:
    name = text.translate({ord(sign): None for sign in '/[]"\\'})
    assert compiled(entry_module(planned(f"x{name}.py"), NOTHING, ADAPTER))


@pytest.mark.parametrize("file", ['a"""b.py', "a\\N.py", "a\\.py"])
def test_an_entry_of_a_route_with_quotes_or_backslashes_compiles(file: str) -> None:
    assert compiled(entry_module(planned(file), NOTHING, ADAPTER))


def test_an_entry_that_is_run_starts_its_server_and_an_imported_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moon_server.py").write_text(
        f"{SERVER}\n\ndef start(manifest, args):\n    args['ran'] = len(manifest['routes'])\n"
    )
    entry = tmp_path / "entry_a.py"
    entry.write_text(entry_module(planned("a.py"), NOTHING, ADAPTER, starts=True))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "ran" not in runpy.run_path(str(entry))["ARGS"]
    assert runpy.run_path(str(entry), run_name="__main__")["ARGS"]["ran"] == 1
    del sys.modules["moon_server"]


@pytest.mark.parametrize("on_disk", ["entry.py", "pages/entry_a.py", "pages/b/c/entry_a.py"])
def test_an_entry_knows_where_the_client_is_where_its_server_serves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: str
) -> None:
    (tmp_path / "moon_server.py").write_text(SERVER)
    entry = tmp_path / "dist" / on_disk
    entry.parent.mkdir(parents=True)
    serving = replace(ADAPTER, serves_client=True)
    entry.write_text(entry_module(planned("a.py", on_disk=on_disk), NOTHING, serving))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert runpy.run_path(str(entry))["ARGS"]["client"] == str(tmp_path / "dist/client")
    del sys.modules["moon_server"]


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("def start(manifest, args): ...", True),
        ("async def start(manifest, args): ...", True),
        ("from moon.serving import run as start", True),
        ("start = print", True),
        ("def other():\n    start = 1", False),
        ("from start import run", False),
        ("", False),
    ],
)
def test_a_server_starts_where_it_defines_start(tmp_path: Path, text: str, starts: bool) -> None:
    assert has_start(ADAPTER, served_by(tmp_path, text)) is starts


def test_a_server_that_gives_nothing_and_starts_nothing_is_refused(tmp_path: Path) -> None:
    silent = replace(ADAPTER, exports=())
    assert has_start(silent, served_by(tmp_path, "def start(manifest, args): ..."))
    with pytest.raises(RouteletError, match="moon_server has no start") as told:
        has_start(silent, served_by(tmp_path, SERVER))
    assert (told.value.where, told.value.status) == ("adapter moon", WRONG_USE)
