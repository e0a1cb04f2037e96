"""The documents: what they point at is there, and the first site of a newcomer is built."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from routelet import URL, Context, Cookies, Headers, Request, Response
from routelet.app import App
from routelet_bundler.cli import COMMANDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = sorted((*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/*/*.md")))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def prose_of(document: Path) -> str:
    return FENCE.sub("", document.read_text())


def anchors_of(document: Path) -> set[str]:
    """The ids that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", prose_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def links_of(document: Path) -> Iterator[tuple[str, Path, str]]:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(document)):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            yield link, (document.parent / path).resolve() if path else document, anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for link, target, anchor in links_of(document):
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_guide_is_named_in_the_readme() -> None:
    named = {target for _, target, _ in links_of(ROOT / "README.md")}
    assert set(DOCS.glob("*.md")) <= named


def test_every_module_of_the_runtime_is_named_in_the_architecture() -> None:
    named = set(re.findall(r"`(\w+)/?`", prose_of(DOCS / "architecture.md")))
    modules = {path.stem for path in (ROOT / "runtime/routelet").iterdir()}
    assert {one for one in modules if not one.startswith(("_", "py"))} <= named


def test_every_room_of_the_bundler_is_named_in_the_architecture() -> None:
    named = set(re.findall(r"`(\w+)/?`", prose_of(DOCS / "architecture.md")))
    modules = {path.stem for path in (ROOT / "bundler/routelet_bundler").iterdir()} - {"py"}
    assert {one for one in modules if not one.startswith("_")} <= named  # py.typed is none


def test_every_command_and_option_is_in_the_table_of_commands() -> None:
    commands, options = (DOCS / "commands.md").read_text().split("| option |")
    assert set(re.findall(r"`routelet (\w+)", commands)) == set(COMMANDS)
    named = set(re.findall(r"^\| `(--[\w-]+)", options, re.MULTILINE))
    modules = [import_module(f"routelet_bundler.cli.{name}") for name in COMMANDS]
    there = {option for one in modules for param in one.command.params for option in param.opts}
    assert {one for one in there if one.startswith("--")} == named | {"--match"}


def test_what_a_page_is_said_to_get_is_there() -> None:
    text = (DOCS / "context.md").read_text()
    parts = {part.partition("\n")[0]: part for part in re.split(r"^## ", text, flags=re.MULTILINE)}
    request = Request("/", headers={"cookie": "a=b"})
    given = {
        "Context": Context(App({"routes": []}), request),
        "Request": request,
        "URL": URL("/?a=b"),
        "Cookies": Cookies(),
        "Response": Response(),
    }
    for part, value in given.items():
        cells = re.findall(r"^\| (`.*?) \|", parts[part], re.MULTILINE)
        names = [name for cell in cells for name in re.findall(r"`(\w+)", cell)]
        names += re.findall(r"^ctx\.cookies\.(\w+)", parts[part], re.MULTILINE)
        names = [name for name in names if name != "ctx"]
        assert all(name in dir(type(value)) for name in names), (part, names)
    assert {"get", "get_all", "append", "delete", "get_set_cookie"} <= set(dir(Headers))


def test_the_site_that_a_newcomer_writes_passes_its_own_test(tmp_path: Path) -> None:
    guide = (DOCS / "getting-started.md").read_text()
    for _, block in FENCE.findall(guide):
        first, _, _ = block.partition("\n")
        if path := re.fullmatch(r"(?:# |\{# )(\S+\.\w+)(?: #\})?", first):
            file = tmp_path / path[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)
    (tmp_path / "public").mkdir()
    (tmp_path / "public/robots.txt").write_text("User-agent: *\nAllow: /\n")
    test = next(block for _, block in FENCE.findall(guide) if "def test_the_site" in block)
    (tmp_path / "test_site.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_site.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
