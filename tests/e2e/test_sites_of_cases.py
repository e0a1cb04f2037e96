"""The recorded routing cases as static sites: each URL is a file that its page made.

Every case is built in each `build.format`, once below a base. Pages are written so that they tell
which file of the case they are and which parameters they got; dynamic ones list the case's URLs.
"""

import json
import re
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from posixpath import normpath
from typing import Any
from urllib.parse import unquote

import pytest

from routelet_bundler import RouteletError, build

Case = Mapping[str, Any]
Params = Mapping[str, str | None]

FILE = Path(__file__).parents[3] / "shared" / "cases" / "routing.json"
CASES: list[Case] = json.loads(FILE.read_text("utf-8"))["cases"] if FILE.exists() else []
NUMBERED = [pytest.param(case, id=str(number)) for number, case in enumerate(CASES)]

pytestmark = pytest.mark.skipif(not CASES, reason="../shared/cases is not beside this checkout")

BASES = {"directory": None, "file": "/site", "preserve": None}
"""Formats of a build, and the base for cases that have none."""

STATIC_KINDS = (".jinja", ".md", ".html")
"""In turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A URL of a case, below its base, and who answers it."""

    path: str
    """Decoded, without dots, with a slash at the end where the URL has one."""
    owner: str | None
    params: Params


def visits_of(case: Case, build_format: str) -> Iterator[Visit]:
    """Yield what a host that only has files can tell apart."""
    prefix = case["config"]["base"].rstrip("/")
    owners = {request["url"]: request["route_file"] for request in case["requests"]}
    for request in case["requests"]:
        url, owner = request["url"], request["route_file"]
        twin = url.removesuffix("/") if url.endswith("/") else url + "/"
        visit = Visit(
            path=path_of(url.removeprefix(prefix)), owner=owner, params=request.get("params", {})
        )
        only_the_slash_is_wrong = owner is None and owners.get(twin) is not None
        if not only_the_slash_is_wrong and is_for_files(visit, build_format):
            yield visit


def path_of(url: str) -> str:
    path = unquote(url.partition("?")[0])
    end = "/" if path.endswith("/") else ""
    return normpath("/" + path.strip("/")).rstrip("/") + end or "/"


def is_for_files(visit: Visit, build_format: str) -> bool:
    """Tell whether a file can stand for the URL.

    Not for one that only its slashes tell from another, nor for names that hosts give to pages.
    """
    name = visit.path.rpartition("/")[2]
    slashed = any((value or "").endswith("/") for value in visit.params.values())
    has_params = bool(visit.params) or "[" not in (visit.owner or "")
    hosts_own = name.endswith(".html") or (name == "index" and build_format != "directory")
    is_data = visit.path.endswith("/") and ".json." in (visit.owner or "")
    return has_params and not slashed and not hosts_own and not is_data


def beside_their_folder(files: Sequence[str]) -> set[str]:
    """Return the files whose URL is that of a folder's index as well: an error of the build."""
    return {file for file in files if f"{stem_of(file)}/index" in map(stem_of, files)}


def stem_of(file: str) -> str:
    return file.removesuffix(Path(file).suffix)


def pages_of(files: Sequence[str], visits: Sequence[Visit]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page; only Python can list URLs."""
    for number, file in enumerate(files):
        if "[" in file or file.endswith(".py"):
            listed = {
                json.dumps(visit.params): dict(visit.params) for visit in visits_to(file, visits)
            }
            yield f"{stem_of(file)}.py", python_page(file, list(listed.values()))
        else:
            yield stem_of(file) + STATIC_KINDS[number % 3], f"made by: {file};\n"


def visits_to(file: str, visits: Sequence[Visit]) -> list[Visit]:
    return [visit for visit in visits if visit.owner == file]


def python_page(file: str, listed: Sequence[Params]) -> str:
    paths = [{"params": params} for params in listed]
    lines = [f"def get_static_paths():\n    return {paths!r}\n\n"] if "[" in file else []
    lines += ["def GET(ctx):", f"    made_by, params = {file!r}, dict(ctx.params)"]
    if file.endswith(".json.py"):
        lines += ['    return {"made by": made_by, "params": params}']
    else:
        lines += ['    return f"made by: {made_by};{params!r}"']
    return "\n".join([*lines, ""])


def maker_of(file: Path) -> tuple[str, Params]:
    """Return the page that made a file, and the parameters that it got."""
    text = file.read_text("utf-8")
    if text.startswith("{"):
        told = json.loads(text)
        return told["made by"], told["params"]
    found = re.search(r"made by: (?P<file>[^;]+);(?P<params>\{.*\})?", unescape(text))
    assert found is not None, text
    return found["file"], literal_eval(found["params"] or "{}")


def served(client: Path, path: str) -> Path | None:
    """Return the file that a host of files answers with."""
    bare = path.strip("/")
    names = [bare] if bare and not path.endswith("/") else []
    names += [f"{bare}/index.html", f"{bare}.html"] if bare else ["index.html"]
    return next((client / name for name in names if (client / name).is_file()), None)


def configuration(case: Case, build_format: str) -> str:
    base = case["config"]["base"] if BASES[build_format] is None else BASES[build_format]
    config = {**case["config"], "base": base}
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in config.items()]
    return "\n".join(["[tool.routelet]", *lines, f'build.format = "{build_format}"', ""])


def toml(value: str | int | Mapping[str, Any]) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value)


def written(root: Path, pages: Mapping[str, str], pyproject: str) -> Path:
    files = {"pyproject.toml": pyproject}
    files |= {f"src/pages/{name}": text for name, text in pages.items()}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


@pytest.mark.parametrize("build_format", BASES)
@pytest.mark.parametrize("case", NUMBERED)
def test_a_url_is_a_file_that_its_page_made(case: Case, build_format: str, tmp_path: Path) -> None:
    visits = list(visits_of(case, build_format))
    files = [file for file in case["files"] if file not in beside_their_folder(case["files"])]
    pages = dict(pages_of(files, visits))
    result = build(written(tmp_path, pages, configuration(case, build_format)))
    client = result.out_dir / "client"
    moved = {client / page.path: page.route for page in result.prerendered if page.location}
    for visit in visits:
        file = served(client, visit.path)
        found = file and ((moved[file], {}) if file in moved else maker_of(file))
        has_file = visit.owner in files or visit.owner in moved.values()
        assert found == ((visit.owner, visit.params) if has_file else None), visit
    made = [maker_of(client / page.path) for page in result.prerendered if not page.location]
    once = {repr((visit.owner, visit.params)) for visit in visits if visit.owner in files}
    unasked = {repr((file, {})) for file in files if "[" not in file}
    assert sorted(map(repr, made)) == sorted(once | unasked)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if beside_their_folder(case["files"])],
    ids=lambda case: case["files"][0],
)
def test_a_file_beside_a_folder_of_its_url_is_refused(case: Case, tmp_path: Path) -> None:
    root = written(tmp_path, dict(pages_of(case["files"], ())), configuration(case, "directory"))
    with pytest.raises(RouteletError) as told:
        build(root)
    mistakes = [told.value, *told.value.others]
    named = {stem_of(one.where.removeprefix("src/pages/")) for one in mistakes}
    assert named == {stem_of(file) for file in beside_their_folder(case["files"])}


def test_hardly_any_url_is_left_out() -> None:
    """A dozen is: a server alone tells them from others, or they need an encoded slash."""
    asked = sum(len(case["requests"]) for case in CASES)
    for build_format in BASES:
        visits = [visit for case in CASES for visit in visits_of(case, build_format)]
        assert len(visits) >= asked - 13
        assert all(list(visits_of(case, build_format)) for case in CASES)
