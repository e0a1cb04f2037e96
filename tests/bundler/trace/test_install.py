"""Installing for a target with the real uv, from wheels that the tests write; no network."""

import hashlib
import platform
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from uv import find_uv_bin

from routelet_bundler.cache import Cache
from routelet_bundler.errors import RouteletError
from routelet_bundler.interpreters import find_interpreter
from routelet_bundler.model import HOST
from routelet_bundler.trace.install import Platform, _texts, install, requirements_of, resolve

Site = Callable[..., Path]
Wheels = Any

TARGET = Platform(python=HOST, platform="x86_64-manylinux_2_17")
ARM = Platform(python=HOST, platform="aarch64-manylinux_2_17")
NEWER = next((minor for minor in ("3.14", "3.13", "3.12")
              if minor > HOST and find_interpreter(minor)), None)  # fmt: skip
TAG = f"cp{HOST.replace('.', '')}"


def project(*dependencies: str, python: str = HOST) -> str:
    return (
        f'[project]\nname = "site"\nversion = "1"\nrequires-python = ">={python}"\n'
        f"dependencies = {list(dependencies)!r}\n"
    )


def lock(root: Path, python: str = HOST) -> None:
    command = [find_uv_bin(), "lock", "--quiet", "--python", str(find_interpreter(python))]
    subprocess.run(command, cwd=root, check=True)


def installed(root: Path, cache: Cache, *dependencies: str, on: Platform = TARGET) -> Path:
    return install(requirements_of(root, dependencies, on, cache, locked=False), on, cache)


def test_dependencies_are_resolved_and_installed_with_what_they_require(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add("pure", requires=["other>=1"])
    wheels.add("other")
    root = write_site({})
    requirements = requirements_of(root, ["pure"], TARGET, cache, locked=False)
    assert (requirements.source, requirements.locked) == ("pyproject.toml", False)
    folder = install(requirements, TARGET, cache)
    assert (folder / "pure/__init__.py").is_file()
    assert (folder / "other/__init__.py").is_file()


def test_a_site_without_dependencies_installs_nothing(write_site: Site, cache: Cache) -> None:
    assert list(installed(write_site({}), cache).iterdir()) == []


def test_a_wheel_for_a_newer_glibc_is_refused_by_name(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add("newlib", tag=f"{TAG}-{TAG}-manylinux_2_39_x86_64")
    with pytest.raises(RouteletError, match=r"newlib==1\.0 has no wheel for Python") as caught:
        installed(write_site({}), cache, "newlib")
    assert caught.value.where == "pyproject.toml"
    assert "manylinux_2_39" in caught.value.mend
    assert "glibc" in caught.value.mend


def test_a_distribution_with_sources_only_is_refused_by_name(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add_source("sourceonly")
    with pytest.raises(RouteletError, match=r"sourceonly==1\.0 has no wheel for Python"):
        installed(write_site({}), cache, "sourceonly")


def allowing(*names: str) -> Platform:
    return replace(TARGET, sdists=names)


@pytest.mark.parametrize("name", ["sourceonly", "SourceOnly"])
def test_a_distribution_that_is_allowed_to_is_built_from_source(
    write_site: Site, wheels: Wheels, cache: Cache, name: str
) -> None:
    wheels.add_source("sourceonly")
    wheels.add("pure")
    folder = installed(write_site({}), cache, "sourceonly", "pure", on=allowing(name))
    assert (folder / "sourceonly/__init__.py").is_file()
    assert (folder / "pure/__init__.py").is_file()


def test_only_those_that_are_allowed_to_are_built(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add_source("sourceonly")
    wheels.add_source("another")
    with pytest.raises(RouteletError, match=r"another==1\.0 has no wheel for Python") as caught:
        installed(write_site({}), cache, "sourceonly", "another", on=allowing("sourceonly"))
    assert 'allow-sdists = ["another"]' in caught.value.mend


@pytest.mark.skipif(platform.machine() != "x86_64", reason="built for the other architecture")
def test_one_that_is_built_for_this_machine_is_refused_by_name(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add_source("compiled", tag=f"{TAG}-{TAG}-linux_x86_64")
    root, here = write_site({}), Platform(python=HOST, sdists=("compiled",))
    with pytest.raises(RouteletError, match=r"compiled==1\.0 was built for this machine") as caught:
        installed(root, cache, "compiled", on=allowing("compiled"))
    assert caught.value.where == "pyproject.toml"
    assert (installed(root, cache, "compiled", on=here) / "compiled").is_dir()


def test_one_that_is_built_for_another_python_is_refused_by_name(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add_source("compiled", tag="cp39-cp39-manylinux_2_17_x86_64")
    with pytest.raises(RouteletError, match="compiled has no wheel for Python"):
        installed(write_site({}), cache, "compiled", on=allowing("compiled"))


def test_what_is_installed_is_one_with_uv_s_cache(
    write_site: Site, wheels: Wheels, cache: Cache, uv_cache: Path
) -> None:
    wheels.add("linked", files={"linked.py": "x = 1\n", "linked_data.txt": "data"})
    folder = installed(write_site({}), cache, "linked")
    theirs = {path.stat().st_ino for path in uv_cache.rglob("linked*") if path.is_file()}
    assert {(folder / name).stat().st_ino for name in ("linked.py", "linked_data.txt")} <= theirs


@pytest.mark.usefixtures("wheels")
def test_a_name_that_no_index_has_is_told(write_site: Site, cache: Cache) -> None:
    with pytest.raises(RouteletError, match="nothere is in no package index") as caught:
        installed(write_site({}), cache, "nothere")
    assert caught.value.where == "pyproject.toml"


def test_wheels_are_chosen_for_the_architecture_of_the_target(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    for machine in ("x86_64", "aarch64"):
        tag = f"{TAG}-{TAG}-manylinux_2_17_{machine}"
        wheels.add("native", tag=tag, files={"native.py": f"machine = {machine!r}\n"})
    root = write_site({})
    texts = [
        (installed(root, cache, "native", on=on) / "native.py").read_text() for on in (TARGET, ARM)
    ]
    assert texts == ["machine = 'x86_64'\n", "machine = 'aarch64'\n"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the other architecture is the host")
def test_the_same_versions_are_installed_for_this_machine_as_its_host_twin(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    wheels.add("native", "1.0", tag=f"{TAG}-{TAG}-manylinux_2_17_aarch64")
    wheels.add("native", "1.0", tag=f"{TAG}-{TAG}-manylinux_2_17_x86_64")
    wheels.add("native", "2.0", tag=f"{TAG}-{TAG}-manylinux_2_17_x86_64")
    requirements = requirements_of(write_site({}), ["native"], ARM, cache, locked=False)
    twin = install(requirements, Platform(python=HOST), cache)
    assert "1.0" in (twin / "native/__init__.py").read_text()


def test_a_second_install_does_no_work(write_site: Site, wheels: Wheels, cache: Cache) -> None:
    wheel = wheels.add("pure")
    root = write_site({})
    first = installed(root, cache, "pure")
    wheel.unlink()  # uv would not find it again
    assert installed(root, cache, "pure") == first


def test_a_failed_install_leaves_no_folder_to_be_taken_for_a_good_one(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    root = write_site({"requirements.txt": "pure==1.0\n"})
    with pytest.raises(RouteletError):
        installed(root, cache)
    wheels.add("pure")
    assert (installed(root, cache) / "pure").is_dir()


class TestUvLock:
    def test_its_versions_are_installed(
        self, write_site: Site, wheels: Wheels, cache: Cache
    ) -> None:
        wheels.add("pure", "1.0")
        root = write_site({}, pyproject=project("pure"))
        lock(root)
        wheels.add("pure", "2.0")
        requirements = requirements_of(root, ["pure"], TARGET, cache, locked=True)
        assert (requirements.source, requirements.locked) == ("uv.lock", True)
        folder = install(requirements, TARGET, cache)
        assert "1.0" in (folder / "pure/__init__.py").read_text()

    def test_locked_refuses_a_stale_one(
        self, write_site: Site, wheels: Wheels, cache: Cache
    ) -> None:
        wheels.add("pure")
        wheels.add("other")
        root = write_site({}, pyproject=project("pure"))
        lock(root)
        (root / "pyproject.toml").write_text(project("pure", "other"))
        with pytest.raises(RouteletError, match=r"uv\.lock does not fit") as caught:
            requirements_of(root, ["pure", "other"], TARGET, cache, locked=True)
        assert (caught.value.where, caught.value.mend) == ("uv.lock", "run `uv lock`")

    @pytest.mark.skipif(
        find_interpreter("3.13") in (None, find_interpreter(HOST)), reason="no 3.13"
    )
    @pytest.mark.parametrize("locked", [True, False])
    def test_a_project_may_need_a_newer_python_than_the_one_that_builds(
        self, write_site: Site, wheels: Wheels, cache: Cache, *, locked: bool
    ) -> None:
        wheels.add("pure")
        assert NEWER is not None
        root = write_site({}, pyproject=project("pure", python=NEWER))
        lock(root, NEWER)
        on = Platform(python=NEWER, platform="x86_64-manylinux_2_34")
        requirements = requirements_of(root, ["pure"], on, cache, locked=locked)
        assert (install(requirements, on, cache) / "pure").is_dir()

    @pytest.mark.usefixtures("wheels")
    def test_a_local_folder_in_it_is_refused_by_name(self, write_site: Site, cache: Cache) -> None:
        folder = '[project]\nname = "shared"\nversion = "1"\n'
        source = '[tool.uv.sources]\nshared = { path = "shared", editable = true }\n'
        root = write_site(
            {"shared/pyproject.toml": folder, "shared/shared.py": ""},
            pyproject=project("shared") + source,
        )
        lock(root)
        with pytest.raises(RouteletError, match="shared has no wheel") as caught:
            installed(root, cache)
        assert caught.value.where == "uv.lock"


class TestRequirementsFile:
    def test_it_is_completed_with_what_is_required(
        self, write_site: Site, wheels: Wheels, cache: Cache
    ) -> None:
        wheels.add("pure", requires=["other"])
        wheels.add("other")
        root = write_site({"requirements.txt": "pure==1.0\n"})
        requirements = requirements_of(root, [], TARGET, cache, locked=True)
        assert (requirements.source, requirements.locked) == ("requirements.txt", True)
        assert (install(requirements, TARGET, cache) / "other").is_dir()

    def test_its_own_lines_are_known_with_their_extras(
        self, write_site: Site, wheels: Wheels, cache: Cache
    ) -> None:
        wheels.add("pure", requires=["other; extra == 'more'"], extras=["more"])
        wheels.add("other")
        text = "--only-binary :all:\n# a comment\npure[more]==1.0  # why\n"
        root = write_site({"requirements.txt": text})
        requirements = requirements_of(root, [], TARGET, cache, locked=False)
        assert requirements.listed == ("pure[more]==1.0",)

    @pytest.mark.parametrize("option", ["-r", "-c", "--requirement", "--constraint"])
    def test_an_edit_of_a_file_that_it_names_is_seen(
        self, write_site: Site, wheels: Wheels, cache: Cache, option: str
    ) -> None:
        for version in ("1.0", "2.0"):
            wheels.add("pure", version)
        files = {"requirements.txt": f"pure\n{option} base.txt\n", "base.txt": "pure==1.0\n"}
        root = write_site(files)
        assert "pure==1.0" in requirements_of(root, [], TARGET, cache, locked=False).text
        (root / "base.txt").write_text("pure==2.0\n")
        found = requirements_of(root, [], TARGET, cache, locked=False)
        assert "pure==2.0" in found.text
        assert ("pure==2.0" in found.listed) is ("r" in option[:3])

    def test_files_that_name_each_other_are_read_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("-c b.txt\n-c a.txt\n")
        (tmp_path / "b.txt").write_text("-c a.txt\npure\n")
        assert len(list(_texts(tmp_path / "a.txt", "-c"))) == 2

    def test_hashes_are_checked(self, write_site: Site, wheels: Wheels, cache: Cache) -> None:
        wheels.add("pure")
        root = write_site({"requirements.txt": f"pure==1.0 \\\n    --hash=sha256:{'0' * 64}\n"})
        with pytest.raises(RouteletError, match=r"(?i)hash"):
            installed(root, cache)

    def test_a_wheel_of_the_site_is_found_from_its_folder_and_a_new_one_is_installed(
        self, write_site: Site, wheels: Wheels, cache: Cache
    ) -> None:
        root = write_site({"requirements.txt": "./vendor/own-1.0-py3-none-any.whl\n"})
        wheels.add("own", files={"own.py": "v = 1\n"}, folder=root / "vendor")
        assert (installed(root, cache) / "own.py").read_text() == "v = 1\n"
        wheels.add("own", files={"own.py": "v = 2\n"}, folder=root / "vendor")
        assert (installed(root, cache) / "own.py").read_text() == "v = 2\n"


def test_pylock_is_installed_with_paths_that_are_relative_to_it(
    write_site: Site, wheels: Wheels, cache: Cache
) -> None:
    root = write_site({})
    wheel = wheels.add("own", folder=root / "vendor")
    sha = "sha256 = " + repr(hashlib.sha256(wheel.read_bytes()).hexdigest())
    text = (
        f'lock-version = "1.0"\ncreated-by = "tests"\nrequires-python = ">={HOST}"\n'
        f'[[packages]]\nname = "own"\nversion = "1.0"\n'
        f'wheels = [{{ path = "vendor/{wheel.name}", hashes = {{ {sha} }} }}]\n'
    )
    (root / "pylock.toml").write_text(text)
    requirements = requirements_of(root, [], TARGET, cache, locked=True)
    assert (requirements.source, requirements.locked) == ("pylock.toml", True)
    assert (install(requirements, TARGET, cache) / "own/__init__.py").is_file()


USER, PASSWORD = "ci", "secret"


@pytest.fixture
def private_index(wheels: Wheels, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the wheels as an index (PEP 503) that wants a password; nothing else has any."""

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers["Authorization"] != f"Basic {given}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.end_headers()
                return
            *_, folder, file = self.path.split("/")
            found = [path for path in wheels.folder.glob("*.whl") if path.name.startswith(folder)]
            links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in found)
            data = (wheels.folder / file).read_bytes() if file else links.encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/zip" if file else "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.send_response(405)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_INDEX_PRIVATE_USERNAME", USER)
    monkeypatch.setenv("UV_INDEX_PRIVATE_PASSWORD", PASSWORD)
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/simple"
        yield f'[[tool.uv.index]]\nname = "private"\nurl = "{url}"\ndefault = true\n'
        server.shutdown()


@pytest.mark.parametrize("has_lock", [True, False])
def test_a_private_index_is_the_one_of_uv_s_settings(
    write_site: Site, wheels: Wheels, cache: Cache, private_index: str, *, has_lock: bool
) -> None:
    wheels.add("secretly", requires=["other"])
    wheels.add("other")
    root = write_site({}, pyproject=project("secretly") + private_index)
    if has_lock:
        lock(root)
    folder = installed(root, cache, "secretly")
    assert (folder / "secretly").is_dir()
    assert (folder / "other").is_dir()


def test_what_another_index_resolved_is_not_taken(
    write_site: Site, wheels: Wheels, cache: Cache, private_index: str
) -> None:
    wheels.add("pure", "1.0")
    root = write_site({}, pyproject=project("pure") + private_index)
    assert resolve(["pure"], TARGET, cache, where="here", root=root) == "pure==1.0\n"
    wheels.add("pure", "2.0")
    other = private_index.replace("/simple", "/other/simple")
    (root / "pyproject.toml").write_text(project("pure") + other)
    assert resolve(["pure"], TARGET, cache, where="here", root=root) == "pure==2.0\n"


def test_locked_needs_a_lock_file(write_site: Site, cache: Cache) -> None:
    with pytest.raises(RouteletError, match="there is no lock file") as caught:
        requirements_of(write_site({}), [], TARGET, cache, locked=True)
    assert "uv lock" in caught.value.mend


def test_what_was_resolved_once_is_kept(wheels: Wheels, cache: Cache) -> None:
    wheels.add("pure", "1.0")
    first = resolve(["pure"], TARGET, cache, where="pyproject.toml")
    wheels.add("pure", "2.0")
    assert resolve(["pure"], TARGET, cache, where="pyproject.toml") == first == "pure==1.0\n"
    assert "2.0" in resolve(["pure>1"], TARGET, cache, where="pyproject.toml")
