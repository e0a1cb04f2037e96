"""Zips are imported alone, by the target's Python; what fails is told with the site's own lines."""

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler import verify as verify_room
from routelet_bundler.cache import Cache
from routelet_bundler.interpreters import find_interpreter, run_isolated
from routelet_bundler.model import HOST, Build, Function, Verdict, Zip
from routelet_bundler.verify import Check, verify

SITE = (
    '[project]\nname = "site"\nversion = "1"\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)
PAGE = "\ndef GET(ctx):\n    return 'x'\n"
HIDDEN = (
    "import importlib\n"
    "importlib.import_module(''.join(reversed(['{1}', '{0}'])))  # routelet: ignore\n"
)
"""An import that no one sees without running it."""

BuildOf = Callable[..., Build]


@pytest.fixture
def built(write_site: Callable[..., Path], tmp_path: Path) -> BuildOf:
    """Return a function that builds a page and other files below `src/`, with a cache of its own.

    A zip that passed is not run again: another test's verdict must not be ours.
    """

    def made(page: str, files: Mapping[str, str] | None = None, config: str = "") -> Build:
        others = {f"src/{name}": text for name, text in (files or {}).items()}
        root = write_site({"src/pages/a.py": page + PAGE, **others}, pyproject=SITE + config)
        return build(root, cache_folder=tmp_path / "cache")

    return made


def refused(built: BuildOf, *arguments: object) -> RouteletError:
    with pytest.raises(RouteletError) as raised:
        built(*arguments)
    return raised.value


def verified(result: Build, cache: Path, **changes: Any) -> Verdict:
    """Verify the one function of a build once more, changed, with another cache."""
    function: Function = replace(result.functions[0].function, **changes)
    packed: Zip = result.functions[0].zip
    there = replace(packed, path=result.out_dir / "functions" / packed.path.name)
    check = Check(function=function, packed=there, adapter="aws-lambda")
    [verdict] = verify([check], Cache(cache), 1, lambda *_: None)
    return verdict


def test_a_missing_module_is_told_with_the_chain_of_imports(built: BuildOf) -> None:
    error = refused(
        built,
        "import lib.m",
        {"lib/m.py": "x = 1\n\nfrom lib import n\n", "lib/n.py": HIDDEN.format("pendu", "lum")},
    )
    assert error.what == (
        "the function of /a does not start: ModuleNotFoundError: No module named 'pendulum'"
    )
    assert error.where == "src/lib/n.py:2"
    assert error.mend == (
        'add it to dependencies, or include = ["pendulum"] '
        "(imported by src/lib/n.py:2 <- src/lib/m.py:3 <- src/pages/a.py:1)"
    )


def test_a_missing_module_of_the_page_itself_needs_no_chain(built: BuildOf) -> None:
    error = refused(built, HIDDEN.format("pendu", "lum"))
    assert error.where == "src/pages/a.py:2"
    assert error.mend == 'add it to dependencies, or include = ["pendulum"]'


@pytest.mark.parametrize("module", ["pytest", "hypothesis", "routelet_bundler", "uv", "boto3"])
def test_nothing_of_the_environment_that_builds_is_there(built: BuildOf, module: str) -> None:
    error = refused(built, HIDDEN.format(module[:2], module[2:]))
    assert f"ModuleNotFoundError: No module named '{module}'" in error.what


def test_a_file_of_the_site_that_was_not_packed_is_not_there(built: BuildOf) -> None:
    error = refused(built, HIDDEN.format("lib.", "m"), {"lib/m.py": "", "lib/d.txt": ""})
    assert "No module named 'lib'" in error.what


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import sys\nsys.exit(0)", "SystemExit: 0"),
        ("import sys\nsys.exit('no database')", "SystemExit: no database"),
        ("x = 1\nraise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("x = {}\nx['gr\u00f6\u00dfe']", "KeyError: 'gr\u00f6\u00dfe'"),
    ],
)
def test_a_module_that_ends_its_process_or_raises_is_told_at_its_line(
    built: BuildOf, source: str, what: str
) -> None:
    error = refused(built, source)
    assert error.what == f"the function of /a does not start: {what}"
    assert (error.where, error.mend) == ("src/pages/a.py:2", "mend the module")


def test_a_variable_that_a_page_needs_at_its_start_is_told_with_what_to_do(built: BuildOf) -> None:
    error = refused(built, "import os\nX = os.environ['A_TABLE']")
    assert error.what == "the function of /a does not start: KeyError: 'A_TABLE'"
    assert error.where == "src/pages/a.py:2"
    assert error.mend.startswith("set A_TABLE in the environment of its routes")


def test_a_process_that_ends_without_a_word_is_a_failure(built: BuildOf) -> None:
    error = refused(built, "import os\nos._exit(0)")
    assert error.what.startswith("the function of /a does not start: ")
    assert error.where == "pages/entry_a.py"


def test_a_name_that_a_module_has_not_is_no_missing_dependency(built: BuildOf) -> None:
    error = refused(built, "from lib.m import nope", {"lib/m.py": "x = 1\n"})
    assert "cannot import name 'nope'" in error.what
    assert error.mend == "mend the module"


def test_what_modules_print_and_read_does_no_harm(built: BuildOf) -> None:
    result = built(
        "import sys\nprint('{\"what\": \"no\"}', flush=True)\nsys.stderr.write('x')\n"
        "assert sys.stdin.read() == ''"
    )
    assert result.functions[0].verdict.verified


@pytest.mark.parametrize(
    "source",
    ["import os\nos.write(1, b'x')", "import subprocess\nsubprocess.run(['echo', 'x'])"],
    ids=["a write", "a process"],
)
def test_what_is_written_past_python_does_no_harm(built: BuildOf, source: str) -> None:
    assert built(source).functions[0].verdict.verified


def test_variables_are_those_of_the_configuration_and_of_the_host(
    built: BuildOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "1")
    result = built(
        "import os\nassert os.environ['MODE'] == 'live'\nassert os.environ['AWS_REGION']\n"
        "assert 'SECRET' not in os.environ",
        {},
        '[tool.routelet.routes."/a"]\nenvironment = { MODE = "live" }\n',
    )
    assert result.functions[0].verdict.verified


def test_a_variable_that_is_not_configured_is_missed_at_its_line(built: BuildOf) -> None:
    error = refused(built, "import os\nx = os.environ['MODE']")
    assert (error.what.rpartition(": ")[2], error.where) == ("'MODE'", "src/pages/a.py:2")


def test_every_module_that_is_loaded_on_a_request_has_to_be_there(
    built: BuildOf, tmp_path: Path
) -> None:
    result = built("")
    with pytest.raises(RouteletError) as raised:
        verified(result, tmp_path / "fresh", modules=("pages.a", "pages.b"))
    assert raised.value.what == "the zip of /a lacks pages.b, which it answers with"


def logged(log: Path) -> str:
    """Return a module that leaves a line in `log` each time it is imported."""
    return f"with open({str(log)!r}, 'a') as log:\n    log.write('x\\n')\n"


def test_a_zip_that_passed_is_not_run_again(built: BuildOf, tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = built(logged(log))
    assert log.read_text() == "x\n"
    assert built(logged(log)).functions[0].verdict == first.functions[0].verdict
    assert log.read_text() == "x\n"
    built(logged(log) + "y = 1\n")
    assert log.read_text() == "x\nx\n"


def test_a_zip_that_failed_is_run_again(built: BuildOf, tmp_path: Path) -> None:
    here = f"import os\nassert os.path.exists({str(tmp_path / 'here')!r})"
    assert "AssertionError" in refused(built, here).what
    (tmp_path / "here").touch()
    assert built(here).functions[0].verdict.verified


def test_a_verdict_is_not_kept_for_other_variables(built: BuildOf) -> None:
    page = "import os\nx = os.environ['MODE']"
    built(page, {}, '[tool.routelet.routes."/a"]\nenvironment = { MODE = "live" }\n')
    assert "'MODE'" in refused(built, page).what


def test_another_python_runs_what_is_built_for_it(built: BuildOf) -> None:
    other = next((one for one in ("3.13", "3.12") if one != HOST and find_interpreter(one)), None)
    if other is None:
        pytest.skip("this machine has one Python")
    config = f'[tool.routelet.adapters.aws-lambda]\nruntime = "python{other}"\n'
    page = f"import sys\nassert '%d.%d' % sys.version_info[:2] == '{other}'"
    result = built(page, {}, config)
    assert result.functions[0].verdict == Verdict(
        function="a", verified=True, how=f"Python {other}"
    )


def test_a_zip_of_another_python_does_not_start(built: BuildOf, tmp_path: Path) -> None:
    other = next((one for one in ("3.13", "3.12") if one != HOST and find_interpreter(one)), None)
    if other is None:
        pytest.skip("this machine has one Python")
    result = built("")
    target = replace(result.functions[0].function.target, python=other)
    with pytest.raises(RouteletError, match="bad magic number"):
        verified(result, tmp_path / "fresh", target=target)


def test_a_python_that_is_not_here_says_so_and_runs_nothing(built: BuildOf, tmp_path: Path) -> None:
    log = tmp_path / "log"
    result = built(logged(log))
    target = replace(result.functions[0].function.target, python="3.99")
    verdict = verified(result, tmp_path / "fresh", target=target)
    assert verdict == Verdict(function="a", verified=False, how="no Python 3.99 on this machine")
    assert log.read_text() == "x\n"


def zip_without(packed: Zip, folder: Path, *gone: str) -> Zip:
    """Write a zip less some of its files, and return it."""
    there = folder / f"{packed.path.stem}-less.zip"
    with zipfile.ZipFile(packed.path) as old, zipfile.ZipFile(there, "w") as new:
        for info in old.infolist():
            if info.filename not in gone:
                new.writestr(info, old.read(info))
    return replace(packed, path=there, sha256=f"less {gone}")


@pytest.fixture
def several(write_site: Callable[..., Path], tmp_path: Path) -> Callable[..., Build]:
    """Return a function that builds pages of these texts, which may import jinja2."""

    def made(pages: Mapping[str, str], files: Mapping[str, str] | None = None) -> Build:
        texts = {f"src/pages/{name}.py": f"{text}\n{PAGE}" for name, text in pages.items()}
        pyproject = SITE.replace("version", 'dependencies = ["jinja2"]\nversion')
        root = write_site({**texts, **(files or {})}, pyproject=pyproject)
        return build(root, cache_folder=tmp_path / "cache")

    return made


def checks_of(result: Build, folder: Path, gone: Mapping[str, tuple[str, ...]]) -> list[Check]:
    """Return the checks of a build's functions, of some of whose zips files are gone."""
    return [
        Check(
            function=one.function,
            packed=zip_without(one.zip, folder, *gone[one.name]) if one.name in gone else one.zip,
            adapter="aws-lambda",
        )
        for one in (replace(one, zip=moved(one.zip, result)) for one in result.functions)
    ]


def moved(packed: Zip, result: Build) -> Zip:
    return replace(packed, path=result.out_dir / "functions" / packed.path.name)


def mistakes_of(checks: list[Check], cache: Path) -> list[str]:
    with pytest.raises(RouteletError) as raised:
        verify(checks, Cache(cache), 2, lambda *_: None)
    return [error.what for error in (raised.value, *raised.value.others)]


NAMES = tuple("abcdef")


def test_a_file_of_a_distribution_that_one_zip_of_several_lacks_is_missed(
    several: Callable[..., Build], tmp_path: Path
) -> None:
    result = several(dict.fromkeys(NAMES, "import jinja2"))
    files = "jinja2/utils.py", f"jinja2/__pycache__/utils.cpython-{HOST.replace('.', '')}.pyc"
    told = mistakes_of(checks_of(result, tmp_path, {"c": files, "f": files}), tmp_path / "fresh")
    assert [what.split(" of jinja2 ")[0] for what in told] == [
        f"the zip of /{name} lacks jinja2/utils.py" for name in ("c", "f")
    ]


def test_what_one_function_has_is_not_there_for_another(several: Callable[..., Build]) -> None:
    pages = {"a": "import lib.m", **dict.fromkeys(NAMES[1:], HIDDEN.format("lib.", "m"))}
    with pytest.raises(RouteletError) as raised:
        several(pages, {"src/lib/m.py": ""})
    errors = (raised.value, *raised.value.others)
    assert [error.what.split(" ")[3] for error in errors] == ["/b", "/c", "/d", "/e", "/f"]
    assert all("No module named 'lib'" in error.what for error in errors)


def test_what_a_function_does_to_a_module_is_not_seen_by_the_next(
    several: Callable[..., Build],
) -> None:
    spoils = "import jinja2, json, os\nassert not hasattr(jinja2, 'spoilt'), 'seen'\n"
    spoils += "jinja2.spoilt = json.loads = None\nos.environ['SPOILT'] = '1'"
    result = several({**dict.fromkeys(NAMES, spoils), "g": "import json\njson.loads('1')"})
    assert all(one.verdict.verified for one in result.functions)


def test_threads_of_a_function_are_no_hindrance_to_the_next(
    several: Callable[..., Build],
) -> None:
    starts = (
        "import jinja2, threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()"
    )
    result = several(dict.fromkeys(NAMES, starts))
    assert all(one.verdict.verified for one in result.functions)


def test_a_package_that_the_site_and_a_distribution_both_have_is_one(
    several: Callable[..., Build],
) -> None:
    """In a zip they are one folder; two folders on the path would hide one of them."""
    page = "import jinja2.utils\nfrom pathlib import Path\n"
    page += "assert (Path(jinja2.__file__).parent / 'ours.txt').read_text() == 'x'\n"
    page += "DATA = Path(__file__).parent.parent / 'jinja2/ours.txt'"
    result = several({"a": page}, {"src/jinja2/ours.txt": "x"})
    assert result.functions[0].verdict.verified


def worker_says(folder: Path, library: str) -> list[object]:
    """Have the worker check two functions that import a library of this text."""
    for name, text in {
        "common/lib.py": library,
        "own/a.py": "import lib\n",
    }.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    common = [str(folder / "common")]
    check = {"path": [str(folder / "own"), *common], "zip": None, "modules": ["a"]}
    job = {"checks": [check, check], "common": common, "shared": {}, "first": ["lib"], "own": ["a"]}
    interpreter = find_interpreter(HOST)
    assert interpreter is not None
    script = Path(verify_room.__file__).with_name("worker.py")
    done = run_isolated(interpreter, script, json.dumps(job).encode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_functions_share_is_imported_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert worker_says(tmp_path, logged(log)) == [None, None]
    assert log.read_text() == "x\n"


def test_a_library_that_starts_threads_is_imported_by_each_check(tmp_path: Path) -> None:
    log = tmp_path / "log"
    threads = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    assert worker_says(tmp_path, logged(log) + threads) == [None, None]
    assert log.read_text() == "x\nx\nx\n"
