"""What a zip lacks is seen without running it, and nothing else is taken for missing."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler.model import (
    HOST,
    Function,
    Reason,
    RouteConfig,
    Target,
    Traced,
    TracedFile,
    Zip,
)
from routelet_bundler.verify.closure import Closure, Whole

FIXTURES = Path(__file__).parents[1] / "fixtures" / "trace"

Check = Callable[..., Whole]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that checks a zip with files of a site, less some of them."""

    def checked(
        files: Mapping[str, str | bytes],
        *gone: str,
        kinds: Mapping[str, str] | None = None,
        exclude: tuple[str, ...] = (),
        python: str = HOST,
    ) -> Whole:
        site = tmp_path / "src"
        packed = tmp_path / "f.zip"
        with zipfile.ZipFile(packed, "w") as opened:
            for name, text in files.items():
                content = text if isinstance(text, bytes) else text.encode()
                (site / name).parent.mkdir(parents=True, exist_ok=True)
                (site / name).write_bytes(content)
                if name not in gone:
                    opened.writestr(name, content)
        function = function_of(site, tuple(files), kinds or {}, exclude, python)
        of_file = Zip(path=packed, sha256="", zipped_bytes=0, unzipped_bytes=0, files=0)
        return Closure().check(function, of_file)

    return checked


def function_of(
    site: Path, names: tuple[str, ...], kinds: Mapping[str, str], exclude: tuple[str, ...], py: str
) -> Function:
    return Function(
        name="f",
        pages=(),
        entry="entry.py",
        entry_on_disk="entry.py",
        handler="entry.handler",
        config=RouteConfig(exclude=exclude),
        target=Target(python=py, architecture="x86_64", glibc="2_17"),
        traced=Traced(
            files=tuple(
                TracedFile(
                    archive=name,
                    source=site / name,
                    label=f"src/{name}",
                    reason=Reason(kind=kinds.get(name, "import")),  # type: ignore[arg-type]
                )
                for name in names
            ),
            distributions=(),
        ),
        entry_text="",
        modules=("main",),
    )


def told(whole: Whole) -> list[str]:
    return [f"{one.where}: {one.what.removeprefix('the zip of  ')}" for one in whole.mistakes]


def fixtures() -> list[str]:
    """Return the traced cases that reach local files alone."""
    found = []
    for path in sorted(FIXTURES.iterdir()):
        expected = json.loads((path / "expected.json").read_text())
        if "errors" not in expected and "distributions" not in expected:
            found.append(path.name)
    return found


@pytest.mark.parametrize("name", fixtures())
def test_nothing_is_missing_of_what_was_traced(name: str, tmp_path: Path) -> None:
    """The site has more files than were traced; none of those that were left out is missed."""
    folder = FIXTURES / name
    expected = json.loads((folder / "expected.json").read_text())
    packed = tmp_path / "f.zip"
    with zipfile.ZipFile(packed, "w") as opened:
        for archive in expected["files"]:
            opened.write(folder / archive, archive)
    python = expected.get("python", HOST)
    function = function_of(folder, tuple(expected["files"]), {}, ("not-one",), python)
    of_file = Zip(path=packed, sha256="", zipped_bytes=0, unzipped_bytes=0, files=0)
    assert told(Closure().check(function, of_file)) == []


@pytest.mark.parametrize(
    ("main", "gone", "mistake"),
    [
        ("import lib.a", "lib/a.py", "1: lacks lib.a, which is imported"),
        ("def f():\n    from lib import a", "lib/a.py", "2: lacks lib.a, which is imported"),
        ("import lib.b", "lib/a.py", "2: lacks lib.a, which is imported"),
        ("import lib.a", "lib/__init__.py", "1: lacks lib, which is imported"),
        ("try:\n    import lib.a\nexcept ImportError: pass", "lib/a.py", "2: lacks lib.a"),
        ("__import__('lib.a')", "lib/a.py", "1: lacks lib.a"),
        ("def f(x): importlib.import_module(f'lib.{x}')", "lib/a.py", "1: lacks lib.a"),
        ("TASK = 'lib.a.run'", "lib/a.py", "1: lacks lib.a"),
        ("if sys.version_info >= (3, 8): import lib.a", "lib/a.py", "1: lacks lib.a"),
        ("x = (\n  1)\nimport lib.a; import os", "lib/a.py", "3: lacks lib.a"),
        ("open(Path(__file__).parent / 'd' / 'x.txt')", "d/x.txt", "1: lacks d/x.txt, which is"),
        ("H = os.path.dirname(__file__)\nos.path.join(H, 'd', 'x.txt')", "d/x.txt", "2: lacks d/x"),
        ("H = Path(__file__).parent\n(H / 'd/x.txt').open()", "d/x.txt", "2: lacks d/x.txt"),
        ("with open('d/x.txt') as f: pass", "d/x.txt", "1: lacks d/x.txt"),
        ("pkgutil.get_data('lib', 'y.txt')", "lib/y.txt", "1: lacks lib/y.txt"),
        ("files('lib') / 'y.txt'", "lib/y.txt", "1: lacks lib/y.txt"),
        ("D = Path(__file__).parent / 'd'", "d/x.txt", "1: lacks d/x.txt"),
        ("FileSystemLoader(Path(__file__).parent / 'd')", "d/x.txt", "1: lacks d/x.txt"),
    ],
)
def test_what_a_source_needs_and_the_zip_lacks(
    check: Check, main: str, gone: str, mistake: str
) -> None:
    files = {
        "main.py": main,
        "lib/__init__.py": "",
        "lib/a.py": "",
        "lib/b.py": "\nfrom .a import x\n",
        "lib/y.txt": "",
        "d/x.txt": "",
        "d/z.txt": "",
    }
    assert told(check(files)) == []
    mistakes = told(check(files, gone))
    label = "src/lib/b.py" if "lib.b" in main else "src/main.py"
    assert f"{label}:{mistake}" in "\n".join(mistakes)


@pytest.mark.parametrize(
    "main",
    [
        "if TYPE_CHECKING:\n    import lib.a",
        "from typing import TYPE_CHECKING as TC\nif TC: import lib.a",
        "if False:\n    import lib.a",
        "if sys.platform == 'win32':\n    import lib.a",
        "def f():\n    return 1\n    import lib.a",
        "if sys.version_info < (3, 9):\n    pass\nelse:\n    raise X\nimport lib.a",
        "# import lib.a",
        '"""\nimport lib.a\n"""',
        "x = '''import lib.a'''",
        "x = 'import lib.a'",
        "(Path(__file__).parent / 'd').glob('z.*')",
        "open(Path(__file__).parent / 'd' / name)",
        "open('d/x.txt', 'w')",
    ],
)
def test_what_is_not_needed_is_not_missed(check: Check, main: str) -> None:
    files = {"main.py": main, "lib/a.py": "", "d/x.txt": "", "d/z.txt": ""}
    assert told(check(files, "lib/a.py", "d/x.txt")) == []


def test_what_is_excluded_is_not_missed(check: Check) -> None:
    files = {"main.py": "import lib.a\nopen('d.txt')", "lib/a.py": "", "d.txt": ""}
    assert told(check(files, "lib/a.py", "d.txt", exclude=("lib/*", "d.txt"))) == []


def test_a_distribution_that_is_not_there_is_missed_unless_one_is_excluded(check: Check) -> None:
    files = {"main.py": "import requests, json\ntry:\n    import orjson\nexcept ImportError: pass"}
    assert told(check(files)) == ["src/main.py:1: lacks requests, which is imported"]
    assert told(check(files, exclude=("requests",))) == []


def test_a_source_in_newer_syntax_is_read(check: Check) -> None:
    files = {"main.py": 'type A = int\nx = f"{d["a"]}"\nimport lib.a\n', "lib/a.py": ""}
    assert told(check(files, "lib/a.py", python="3.13"))[0].startswith("src/main.py:3: lacks lib")


def test_modules_are_those_that_a_function_imports(check: Check) -> None:
    files = {
        "main.py": "",
        "lib/__init__.py": "",
        "lib/a.py": "",
        "lib/__main__.py": "",
        "lib/job.py": "",
        "lib/migration.py": "",
        "lib/odd-name.py": "",
        "lib/late.py": "# routelet: skip-verify\nraise RuntimeError\n",
        "routelet/app.py": "",
    }
    kinds = {"lib/job.py": "data", "lib/migration.py": "include"}
    assert check(files, kinds=kinds).modules == ("main", "lib", "lib.a")
