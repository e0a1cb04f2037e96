"""`routelet add` as people run it: the real uv, into environments that are thrown away."""

import json
import os
import pty
import select
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from uv import find_uv_bin

from routelet_bundler.additions import Offer, addition_of, carry_out
from routelet_bundler.config import read_config
from routelet_bundler.errors import RouteletError

Site = Callable[..., Path]
Wheel = Callable[..., Path]

PYPROJECT = """\
[project]
name = "site"
version = "1"  # of the site
requires-python = ">=3.11"

# how it is built
[tool.routelet]
output = "server"
"""


@pytest.fixture
def site(write_site: Site) -> Path:
    return write_site({}, pyproject=PYPROJECT)


def tables(site: Path) -> dict[str, Any]:
    return tomllib.loads((site / "pyproject.toml").read_text())


def unchanged(site: Path) -> bool:
    return [path.name for path in site.iterdir()] == ["pyproject.toml"] and (
        site / "pyproject.toml"
    ).read_text() == PYPROJECT


def test_a_requirement_is_installed_and_written(environment: Any, write: Wheel, site: Path) -> None:
    write()
    done = environment.run("add", "routelet-flyby", "--root", site, "--yes")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = (site / "pyproject.toml").read_text()
    assert text == (
        f'{PYPROJECT}adapter = "flyby"\n\n[dependency-groups]\ndev = ["routelet-flyby>=1.2.0"]\n'
    )
    assert environment.installed() == {"routelet_flyby-1.2.0"}
    assert "routelet-flyby 1.2.0: the adapter flyby" in done.stderr
    assert "will run: uv pip install --python" in done.stderr
    assert '+adapter = "flyby"' in done.stderr


def test_what_was_added_is_not_added_again(environment: Any, write: Wheel, site: Path) -> None:
    write()
    assert environment.run("add", "routelet-flyby", "--root", site, "--yes").returncode == 0
    text = (site / "pyproject.toml").read_text()
    for name in ("flyby", "routelet-flyby", "Routelet.Flyby"):
        again = environment.run("add", name, "--root", site)
        assert (again.returncode, again.stdout) == (0, "")
        assert "flyby: in pyproject.toml already" in again.stderr
    assert (site / "pyproject.toml").read_text() == text


def test_versions_that_were_asked_for_are_kept(environment: Any, write: Wheel, site: Path) -> None:
    write()
    write(version="2.0")
    asked = "routelet-flyby[edge]~=1.0"
    assert environment.run("add", asked, "--root", site, "--yes").returncode == 0
    assert environment.installed() == {"routelet_flyby-1.2.0"}
    assert tables(site)["dependency-groups"] == {"dev": [asked]}


def test_a_wheel_is_added_by_its_path_and_what_it_requires_comes_along(
    environment: Any, write: Wheel, site: Path, tmp_path: Path
) -> None:
    write("orbit", points={})
    wheel = write(requires=("orbit",)).rename(tmp_path / "routelet_flyby-1.2.0-py3-none-any.whl")
    done = environment.run("add", wheel, "--root", site, "--yes")
    assert done.returncode == 0, done.stderr
    assert environment.installed() == {"routelet_flyby-1.2.0", "orbit-1.2.0"}
    assert (site / "pyproject.toml").read_text() == f'{PYPROJECT}adapter = "flyby"\n'
    assert "no requirement that other machines could use" in done.stderr
    again = environment.run("add", wheel, "--root", site, "--yes")
    assert "flyby: installed; in pyproject.toml already" in again.stderr


BACKEND = """\
import pathlib, shutil

def build_wheel(folder, config_settings=None, metadata_directory=None):
    [wheel] = pathlib.Path(__file__).parent.glob("*.whl")
    shutil.copy(wheel, folder)
    return wheel.name
"""
BACKED = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def project_of(wheel: Path, folder: Path, backend: str = BACKEND) -> Path:
    """Return a project that gives this wheel when it is built."""
    folder.mkdir()
    wheel.rename(folder / wheel.name)
    (folder / "pyproject.toml").write_text(BACKED)
    (folder / "backend.py").write_text(backend)
    return folder


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "routelet-flyby @ file://{path}"])
def test_a_project_is_built_and_installed(
    environment: Any, write: Wheel, site: Path, tmp_path: Path, form: str
) -> None:
    project = project_of(write(), tmp_path / "flyby")
    name = form.format(path=project)
    done = environment.run("add", name, "--root", site, "--yes")
    assert done.returncode == 0, done.stderr
    assert environment.installed() == {"routelet_flyby-1.2.0"}
    assert tables(site)["tool"]["routelet"]["adapter"] == "flyby"
    groups = {"dev": [f"routelet-flyby @ file://{project}"]} if "://" in form else None
    assert tables(site).get("dependency-groups") == groups


@pytest.mark.parametrize(
    ("user", "query"), [("user:secret@", ""), ("token@", ""), ("", "?X-Amz-Signature=secret")]
)
def test_a_url_with_a_secret_is_not_written(
    environment: Any, write: Wheel, site: Path, *, user: str, query: str
) -> None:
    wheel = write()
    handler = partial(SimpleHTTPRequestHandler, directory=wheel.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://{user}127.0.0.1:{server.server_port}/{wheel.name}{query}"
        command = environment.command("add", f"routelet-flyby @ {url}", "--root", site, "--yes")
        online = {**environment.variables, "UV_OFFLINE": "0"}
        done = subprocess.run(command, env=online, stderr=subprocess.PIPE, text=True, check=False)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert (site / "pyproject.toml").read_text() == f'{PYPROJECT}adapter = "flyby"\n'
    assert "its URL has a password or a query" in done.stderr


def test_uv_has_the_settings_of_the_site(
    environment: Any, write: Wheel, site: Path, tmp_path: Path
) -> None:
    write()
    settings = '\n[tool.uv]\nno-index = true\nfind-links = ["../index"]\n'
    (site / "pyproject.toml").write_text(PYPROJECT + settings)
    command = environment.command("add", "routelet-flyby", "--root", site, "--yes")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    done = subprocess.run(
        command, cwd=tmp_path, env=kept, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert environment.installed() == {"routelet_flyby-1.2.0"}


def test_what_only_pip_finds_is_installed_by_pip_and_then_added(
    environment: Any, write: Wheel, site: Path, tmp_path: Path
) -> None:
    index = write().parent.rename(tmp_path / "of-pip")
    environment.index.mkdir()
    of_pip = {**environment.variables, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    add = environment.command("add", "routelet-flyby", "--root", site, "--yes")
    run = partial(subprocess.run, env=of_pip, stderr=subprocess.PIPE, text=True, check=False)
    refused = run(add)
    assert refused.returncode == 1
    assert f"`{environment.python} -m pip install`, then add it by its name" in refused.stderr
    assert unchanged(site)
    install = [environment.python, "-m", "pip", "install", "--quiet", "routelet-flyby"]
    assert run(install).returncode == 0
    added = run(add)
    assert added.returncode == 0, added.stderr
    assert "will run" not in added.stderr
    assert tables(site)["dependency-groups"] == {"dev": ["routelet-flyby>=1.2.0"]}


def test_several_are_added_at_once(environment: Any, write: Wheel, site: Path) -> None:
    write()
    points = {"routelet.integrations": {"robots": "sky_adapter:flyby", "map": "sky_adapter:flyby"}}
    write("routelet-sky", points=points)
    names = ("routelet-sky", "routelet-flyby", "routelet-sky")
    done = environment.run("add", *names, "--root", site, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    ours = tables(site)["tool"]["routelet"]
    assert (ours["adapter"], set(ours["integrations"])) == ("flyby", {"robots", "map"})
    told = json.loads(done.stdout)
    assert told["written"] == ["pyproject.toml"]
    assert [one["distribution"] for one in told["added"]] == ["routelet-sky", "routelet-flyby"]
    assert told["added"][1] == {
        "distribution": "routelet-flyby",
        "version": "1.2.0",
        "adapters": ["flyby"],
        "integrations": [],
        "installed": True,
    }
    assert '+adapter = "flyby"' in told["diff"].splitlines()


def test_a_name_of_several_is_that_one(environment: Any, write: Wheel, site: Path) -> None:
    both = {"routelet.adapters": {"near": "flyby_adapter:flyby", "far": "flyby_adapter:flyby"}}
    wheel = write(points=both)
    refused = environment.run("add", wheel, "--root", site, "--yes")
    assert refused.returncode == 2
    assert "has several adapters: near and far" in refused.stderr
    assert "install routelet-flyby, then add the one you want" in refused.stderr
    assert (environment.installed(), unchanged(site)) == (set(), True)
    install = [find_uv_bin(), "pip", "install", "-q", "--python", environment.python, wheel]
    subprocess.run(install, check=True, env=environment.variables)
    assert environment.run("add", "far", "--root", site, "--yes").returncode == 0
    assert tables(site)["tool"]["routelet"]["adapter"] == "far"


def test_a_shipped_adapter_needs_no_requirement(environment: Any, site: Path) -> None:
    assert environment.run("add", "aws-lambda", "--root", site, "--yes").returncode == 0
    assert (site / "pyproject.toml").read_text() == f'{PYPROJECT}adapter = "aws-lambda"\n'


def lock(environment: Any, site: Path) -> bytes:
    command = [find_uv_bin(), "lock", "--quiet"]
    subprocess.run(command, check=True, cwd=site, env=environment.variables)
    return (site / "uv.lock").read_bytes()


def test_the_lock_of_a_uv_project_follows(
    environment: Any, write: Wheel, site: Path, tmp_path: Path
) -> None:
    before = lock(environment, site)
    wheel = write().rename(tmp_path / "routelet_flyby-1.2.0-py3-none-any.whl")
    done = environment.run("add", wheel, "--root", site, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["written"] == ["pyproject.toml", "uv.lock"]
    assert "will run: uv lock" in done.stderr
    assert tables(site)["dependency-groups"] == {"dev": ["routelet-flyby"]}
    assert tables(site)["tool"]["uv"]["sources"] == {"routelet-flyby": {"path": f"../{wheel.name}"}}
    assert b"routelet-flyby" in (site / "uv.lock").read_bytes().replace(before, b"")
    check = [find_uv_bin(), "lock", "--check", "--quiet"]
    subprocess.run(check, check=True, cwd=site, env=environment.variables)
    assert tmp_path.as_posix() not in (site / "uv.lock").read_text()


@pytest.mark.parametrize(
    ("pyproject", "names", "status", "says"),
    [
        (PYPROJECT, ["routelet-flybi"], 1, '"routelet-flybi" is in no package index'),
        (PYPROJECT, ["aws-lamda"], 1, 'did you mean "aws-lambda"?'),
        (PYPROJECT, ["./nowhere"], 2, "there is no ./nowhere"),
        (PYPROJECT, ["~nobody-of-this-name"], 2, "there is no ~nobody-of-this-name"),
        (PYPROJECT, ["routelet-flyby; python_version < '3'"], 2, "is not for this Python"),
        (PYPROJECT, ["--", "--index-url=http://127.0.0.1:9/"], 1, "Failed to parse: `--index-url="),
        (PYPROJECT, ["a b"], 2, '"a b" is no name, requirement, path or URL'),
        (PYPROJECT, ["nothing"], 1, "nothing has no adapter and no integration"),
        (PYPROJECT, ["click"], 1, "it was installed before"),
        (PYPROJECT, ["routelet-flyby", "aws-lambda"], 2, "one adapter, not flyby and aws-lambda"),
        (PYPROJECT, ["greedy"], 1, '"not-there-at-all" is in no package index'),
        (PYPROJECT, ["routelet-flyby>=9"], 1, "cannot be installed; uv says: "),
        ("[tool.routelet\n", ["routelet-flyby"], 2, "pyproject.toml:1: is no valid TOML"),
        ("[tool.routelet]\nx = 1\n", ["routelet-flyby"], 2, 'unknown key "x"'),
    ],
)
def test_what_cannot_be_added_leaves_everything_as_it_was(
    environment: Any,
    write: Wheel,
    write_site: Site,
    *,
    pyproject: str,
    names: list[str],
    status: int,
    says: str,
) -> None:
    write()
    write("nothing", points={})
    write("greedy", requires=("not-there-at-all",))
    site = write_site({}, pyproject=pyproject)
    done = environment.run("add", "--root", site, "--yes", *names)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert (site / "pyproject.toml").read_text() == pyproject
    assert [path.name for path in site.iterdir()] == ["pyproject.toml"]
    assert environment.installed() == set()


def test_what_an_index_has_only_as_sources_is_not_built_to_be_looked_at(
    environment: Any, site: Path, tmp_path: Path
) -> None:
    project = tmp_path / "flyby"
    project.mkdir()
    (project / "pyproject.toml").write_text(BACKED)
    ran = tmp_path / "ran"
    (project / "backend.py").write_text(f"open({str(ran)!r}, 'w')\n")
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: flyby\nVersion: 1\n")
    archive = environment.index / "flyby-1.tar.gz"
    renamed = "s,^flyby,flyby-1,"
    command = ["tar", "-C", str(tmp_path), "--transform", renamed, "-czf", archive, "flyby"]
    subprocess.run(command, check=True)
    done = environment.run("add", "flyby", "--root", site, "--yes")
    assert done.returncode == 1
    assert "what has no wheel is not built to be looked at" in done.stderr
    assert not ran.exists()
    assert unchanged(site)


def test_a_package_that_does_not_load_is_named_with_how_to_remove_it(
    environment: Any, write: Wheel, site: Path
) -> None:
    write(module="import a_module_that_nobody_has\n")
    done = environment.run("add", "routelet-flyby", "--root", site, "--yes")
    assert done.returncode == 1
    assert "flyby cannot be loaded: ModuleNotFoundError" in done.stderr
    assert f"uv pip uninstall --python {environment.python} routelet-flyby" in done.stderr
    assert unchanged(site)


def test_a_project_that_cannot_be_locked_keeps_both_files(
    environment: Any, write: Wheel, site: Path
) -> None:
    write()
    locked = lock(environment, site)
    text = PYPROJECT.replace("\n# how", 'dependencies = ["not-there-at-all"]\n# how', 1)
    (site / "pyproject.toml").write_text(text)
    done = environment.run("add", "routelet-flyby", "--root", site, "--yes")
    assert done.returncode == 1
    assert "uv.lock: uv cannot lock the project with it" in done.stderr
    assert "pyproject.toml is as it was; routelet-flyby is installed" in done.stderr
    assert (site / "pyproject.toml").read_text() == text
    assert (site / "uv.lock").read_bytes() == locked


def test_an_interrupt_while_locking_puts_both_files_back(
    environment: Any, write: Wheel, site: Path, tmp_path: Path
) -> None:
    write()
    asked = tmp_path / "asked"
    slow = f"import time\nopen({str(asked)!r}, 'w').close()\ntime.sleep(60)\n"
    project_of(write("slow", points={}), tmp_path / "slow", backend=slow)
    locked = lock(environment, site)
    sources = '[tool.uv.sources]\nslow = { path = "../slow" }\n'
    text = PYPROJECT.replace("\n# how", 'dependencies = ["slow"]\n# how', 1) + sources
    (site / "pyproject.toml").write_text(text)
    command = environment.command("add", "routelet-flyby", "--root", site, "--yes")
    with subprocess.Popen(
        command, env=environment.variables, stderr=subprocess.PIPE, text=True, process_group=0
    ) as running:
        until(asked.exists)
        assert "flyby" in (site / "pyproject.toml").read_text()
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=50)
    assert running.returncode == 1, said
    assert (site / "pyproject.toml").read_text() == text
    assert (site / "uv.lock").read_bytes() == locked
    assert {path.name for path in site.iterdir()} == {"pyproject.toml", "uv.lock"}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 50
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_read_only_file_is_told_before_anything_is_installed(
    environment: Any, write: Wheel, site: Path
) -> None:
    write()
    (site / "pyproject.toml").chmod(0o444)
    done = environment.run("add", "routelet-flyby", "--root", site, "--yes")
    assert done.returncode == 1
    assert "pyproject.toml: cannot be written" in done.stderr
    assert (environment.installed(), unchanged(site)) == (set(), True)


def test_permissions_and_links_of_the_file_stay(
    environment: Any, site: Path, tmp_path: Path
) -> None:
    real = (site / "pyproject.toml").rename(tmp_path / "real.toml")
    real.chmod(0o640)
    (site / "pyproject.toml").symlink_to(real)
    assert environment.run("add", "aws-lambda", "--root", site, "--yes").returncode == 0
    assert (site / "pyproject.toml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert 'adapter = "aws-lambda"' in real.read_text()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(site: Path) -> None:
    config, _ = read_config(site)
    offer = Offer(distribution="routelet", version="1", adapters=("aws-lambda",))
    addition = addition_of(site, config, "[tool.routelet]\n", [offer])
    with pytest.raises(RouteletError, match="was changed meanwhile"):
        carry_out(addition)
    assert unchanged(site)


def test_without_a_terminal_nobody_is_asked(environment: Any, write: Wheel, site: Path) -> None:
    write()
    done = environment.run("add", "routelet-flyby", "--root", site)
    assert done.returncode == 2
    assert "there is no terminal to ask on" in done.stderr
    assert "say --yes" in done.stderr
    assert '+adapter = "flyby"' in done.stderr
    assert (environment.installed(), unchanged(site)) == (set(), True)


def asked(command: Sequence[str], answer: bytes, **variables: str) -> tuple[int, str]:
    """Run a command on a terminal, give it an answer, and return its status and what it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**variables, "TERM": "xterm-256color"},
        start_new_session=True,
    ) as running:
        os.close(theirs)
        shown = b""
        for data in _read_all(ours):
            shown += data
            # Again, where nothing came of it: what is typed while a terminal changes is lost.
            if b"Go on?" in shown and not data:
                if answer == b"\x03":
                    os.killpg(running.pid, signal.SIGINT)
                else:
                    os.write(ours, answer)
    return running.returncode, shown.decode()


def _read_all(terminal: int) -> Iterator[bytes]:
    """Yield what is shown, and nothing whenever there was nothing for a while."""
    with suppress(OSError):  # on Linux: nobody writes to it any more
        while True:
            is_there, _, _ = select.select([terminal], [], [], 0.5)
            yield os.read(terminal, 4096) if is_there else b""
    os.close(terminal)


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [(b"n\n", 1, "nothing was changed"), (b"\x03", 1, "Aborted!"), (b"\x04", 1, "Aborted!")],
)
def test_a_no_and_an_interrupt_change_nothing(
    environment: Any, write: Wheel, site: Path, *, answer: bytes, status: int, says: str
) -> None:
    write()
    command = environment.command("add", "routelet-flyby", "--root", site)
    returned, shown = asked(command, answer, **environment.variables)
    assert (returned, says in shown) == (status, True), shown
    assert (environment.installed(), unchanged(site)) == (set(), True)


@pytest.mark.parametrize("no_color", [False, True])
def test_a_yes_on_a_terminal_adds_what_the_coloured_diff_shows(
    environment: Any, site: Path, *, no_color: bool
) -> None:
    command = environment.command("add", "aws-lambda", "--root", site)
    variables = {**environment.variables, **({"NO_COLOR": "1"} if no_color else {})}
    returned, shown = asked(command, b"y\n", **variables)
    assert returned == 0, shown
    assert ('\x1b[32m+adapter = "aws-lambda"' in shown) is not no_color
    assert '+adapter = "aws-lambda"' in shown
    assert tables(site)["tool"]["routelet"]["adapter"] == "aws-lambda"


def test_a_table_is_made_where_there_is_none(environment: Any, write_site: Site) -> None:
    site = write_site({}, pyproject='[project]\nname = "s"\nversion = "1"\n')
    done = environment.run("add", "aws-lambda", "--root", site, "--yes")
    assert done.returncode == 0
    assert tables(site)["tool"] == {"routelet": {"adapter": "aws-lambda"}}
    assert 'output is "static"' in done.stderr


def test_a_folder_without_a_project_is_no_site(environment: Any, tmp_path: Path) -> None:
    done = environment.run("add", "aws-lambda", "--root", tmp_path, "--yes")
    assert done.returncode == 2
    assert "there is no pyproject.toml" in done.stderr
