"""Zips with `bytecode = "only"`: what runs from them, and what says where it came from."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.emulator import Emulator
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST, Target
from routelet_bundler.pack.bytecode import makes_bytecode

PYPROJECT = (
    '[project]\nname = "site"\nversion = "1"\ndependencies = ["idna==3.10"]\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
    "adapters.aws-lambda.bytecode = {}\n"
)
FILES = {
    "src/pages/blog/[slug].py": (
        "from pathlib import Path\nimport importlib.resources\nfrom lib.deep import words\n"
        "import idna\nfrom ._own import shout\n"
        "NOTE = importlib.resources.files('lib').joinpath('note.txt').read_text()\n"
        "def GET(ctx, slug: str):\n"
        "    return {'slug': shout(slug), 'words': words.WORDS, 'note': NOTE,\n"
        "            'host': idna.encode('ö.de').decode(), 'snippet': words.SNIPPET}\n"
        "def POST(ctx, slug: str):\n    raise LookupError('on purpose')\n"
    ),
    "src/pages/blog/_own.py": "def shout(text):\n    return text.upper()\n",
    "src/pages/about.jinja": "{% extends 'layouts/base.jinja' %}{% block body %}ab{% endblock %}",
    "src/layouts/base.jinja": "<main>{% block body %}{% endblock %}</main>",
    "src/pages/404.py": "def GET(ctx):\n    return 'none'\n",
    "src/middleware.py": (
        "def on_request(ctx, next):\n    answer = next()\n"
        "    answer.headers['x-seen'] = 'yes'\n    return answer\n"
    ),
    "src/lib/note.txt": "a note",
    "src/lib/deep/words.py": (
        "import pkgutil\nfrom pathlib import Path\nimport lib.plugins\n"
        "WORDS = sorted(m.name for m in pkgutil.iter_modules(lib.plugins.__path__))\n"
        "SNIPPET = (Path(__file__).parent / 'snippets' / 'hello.py').read_text()\n"
    ),
    "src/lib/deep/snippets/hello.py": "print('hello')\n",
    "src/lib/plugins/__init__.py": "",
    "src/lib/plugins/a.py": "",
    "src/lib/plugins/b.py": "",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a site that is built with bytecode only."""
    root = tmp_path_factory.mktemp("site")
    for name, text in {"pyproject.toml": PYPROJECT.format('"only"'), **FILES}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    assert all(one.verdict.verified for one in build(root).functions)
    return root


def unpacked(site: Path, name: str, to: Path) -> Path:
    with zipfile.ZipFile(site / "dist/functions" / f"{name}.zip") as opened:
        opened.extractall(to)
    return to


def answer(folder: Path, module: str, path: str, method: str = "GET") -> tuple[Any, str]:
    """Return what a function answers, and what it says, with its folder alone on the path."""
    event = {
        "version": "2.0", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}, "stage": "$default"
        },
    }  # fmt: skip
    code = (
        f"import sys, json; sys.path.insert(0, {str(folder)!r})\n"
        f"from importlib import import_module\n"
        f"print(json.dumps(import_module({module!r}).handler({event!r}, None)))\n"
    )
    command = [str(find_interpreter(HOST)), "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_no_source_is_left_but_what_is_read_as_data(site: Path) -> None:
    with zipfile.ZipFile(site / "dist/functions/blog__slug_.zip") as opened:
        names = set(opened.namelist())
    assert {name for name in names if name.endswith(".py")} == {"lib/deep/snippets/hello.py"}
    assert {"pages/blog/_slug_.pyc", "lib/plugins/__init__.pyc", "idna/core.pyc"} < names
    assert "routelet/app.pyc" in names
    cached = {name for name in names if "__pycache__" in name}
    assert cached == {f"lib/deep/snippets/__pycache__/hello.cpython-{HOST.replace('.', '')}.pyc"}


def test_pages_data_plugins_and_distributions_work(site: Path, tmp_path: Path) -> None:
    folder = unpacked(site, "blog__slug_", tmp_path)
    found, _ = answer(folder, "pages.blog.entry__slug_", "/blog/hi")
    assert json.loads(found["body"]) == {
        "slug": "HI", "words": ["a", "b"], "note": "a note", "host": "xn--nda.de",
        "snippet": "print('hello')\n",
    }  # fmt: skip
    assert found["headers"]["x-seen"] == "yes"


def test_templates_and_error_pages_work(site: Path, tmp_path: Path) -> None:
    folder = unpacked(site, "about", tmp_path)
    assert answer(folder, "pages.entry_about", "/about")[0]["body"] == "<main>ab</main>"
    assert answer(folder, "pages.entry_about", "/nowhere")[0]["statusCode"] == 404


def test_the_emulator_runs_it(site: Path) -> None:
    with Emulator(site / "dist", log=lambda _: None) as emulator:
        assert emulator.get("/blog/hi").json()["slug"] == "HI"
        assert emulator.get("/about").text == "<main>ab</main>"


def test_a_function_is_imported_from_inside_its_zip(site: Path) -> None:
    found, _ = answer(site / "dist/functions/about.zip", "pages.entry_about", "/about")
    assert found["statusCode"] == 200


def test_tracebacks_name_file_and_line_though_not_its_text(site: Path, tmp_path: Path) -> None:
    folder = unpacked(site, "blog__slug_", tmp_path)
    found, said = answer(folder, "pages.blog.entry__slug_", "/blog/hi", "POST")
    assert found["statusCode"] == 500
    assert "/var/task/pages/blog/_slug_.py" in said
    assert "on purpose" in said


def test_the_same_sources_give_the_same_bytes_and_fewer_than_with_sources(
    site: Path, write_site: Callable[..., Path]
) -> None:
    again = write_site(FILES, pyproject=PYPROJECT.format('"only"'))
    build(again)
    name = "dist/functions/blog__slug_.zip"
    assert (again / name).read_bytes() == (site / name).read_bytes()
    write_site(FILES, pyproject=PYPROJECT.format("true"))
    build(again)
    assert len((again / name).read_bytes()) > len((site / name).read_bytes())


def test_a_function_that_does_not_start_is_told_with_the_sites_own_lines(
    write_site: Callable[..., Path],
) -> None:
    root = write_site(
        {
            "src/pages/a.py": "import lib.m\ndef GET(ctx):\n    return 'x'\n",
            "src/lib/m.py": "x = 1\nraise RuntimeError('broken')\n",
        },
        pyproject=PYPROJECT.format('"only"'),
    )
    with pytest.raises(RouteletError, match="RuntimeError: broken") as raised:
        build(root)
    assert raised.value.where == "src/lib/m.py:2"
    assert "src/pages/a.py:1" in raised.value.mend


def test_without_that_python_there_would_be_nothing_to_run() -> None:
    target = Target(python="3.99", architecture="x86_64", glibc="2_17", bytecode="only")
    with pytest.raises(RouteletError, match=r"needs Python 3\.99") as raised:
        makes_bytecode(target)
    assert "uv python install 3.99" in raised.value.mend
