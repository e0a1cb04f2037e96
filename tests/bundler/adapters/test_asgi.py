import logging
import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from routelet_bundler import Build, RouteletError, build
from routelet_bundler.cli import main
from routelet_bundler.configure import configure
from routelet_bundler.emulator import Emulator
from routelet_bundler.errors import WRONG_USE

NAME = "routelet_bundler.adapters.asgi:asgi"
SITE = {
    "src/pages/index.md": "# Home",
    "src/pages/[name].py": "def GET(ctx): return {'name': ctx.params['name']}",
    "src/pages/sum.py": "def POST(ctx): return {'size': len(ctx.request.body)}",
    "src/pages/who.py": "def GET(ctx): return [ctx.client_address, str(ctx.url)]",
    "src/pages/tag.jinja": "{{ ctx.asset('style.css') }}",
    "public/style.css": "a { color: red }",
}
IMPORTABLE = [str(Path(__file__).parents[3] / name) for name in ("runtime",)]
Site = Callable[..., Path]


def pyproject(*, options: str = "", dependencies: str = "", output: str = "hybrid") -> str:
    return (
        f'[project]\nname = "site"\nversion = "1"\ndependencies = [{dependencies}]\n'
        f'[tool.routelet]\noutput = "{output}"\nadapter = "{NAME}"\n'
        f'[tool.routelet.adapters."{NAME}"]\n{options}\n'
    )


SERVER = {name: f"prerender = False\n{text}" if name.endswith(".py") else text
          for name, text in SITE.items()}  # fmt: skip


def made(write_site: Site, **parts: str) -> Build:
    return build(write_site(SERVER, pyproject=pyproject(**parts)))


@contextmanager
def started(
    command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[str]:
    """Run a server until the end; give the address that it tells."""
    environment = {**os.environ, "PORT": "0", **(env or {})}
    with subprocess.Popen(
        command, env=environment, cwd=cwd, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                break
        else:
            pytest.fail("".join(told))
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def got(url: str, **parts: object) -> str:
    request = urllib.request.Request(url, **parts)  # type: ignore[arg-type]
    with urllib.request.urlopen(request, timeout=30) as response:
        text: str = response.read().decode()
        return text


def test_a_build_has_one_entry_and_one_zip(write_site: Site) -> None:
    built = made(write_site)
    assert {Path(one.removeprefix("file://")) for one in built.entry_points.values()} == {
        built.out_dir / "entry.py"
    }
    [function] = built.functions
    assert function.verdict.verified
    assert not (built.out_dir / "pages").exists()
    assert not (built.out_dir / "template.yaml").exists()
    names = zipfile.ZipFile(built.out_dir / "functions/site.zip").namelist()
    assert "routelet/asgi.pyc" in names or "routelet/asgi.py" in names
    assert not [name for name in names if "routelet/aws" in name]


def test_another_page_of_words_leaves_the_zip_as_it_is(write_site: Site) -> None:
    before = made(write_site).functions[0].zip.sha256
    (write_site({}, pyproject=pyproject()) / "src/pages/new.md").write_text("# New")
    assert build(write_site({}, pyproject=pyproject())).functions[0].zip.sha256 == before


def test_the_entry_serves_in_place(write_site: Site) -> None:
    built = made(write_site, options='host = "127.0.0.1"\nmax-body = 1')
    path = os.pathsep.join([str(built.out_dir.parent / "src"), *IMPORTABLE])
    with started([sys.executable, str(built.out_dir / "entry.py")], env={"PYTHONPATH": path}) as at:
        assert "Home" in got(f"{at}/")
        assert got(f"{at}/seven") == '{"name":"seven"}'
        [hashed] = built.assets.values()
        assert got(f"{at}/{hashed}") == "a { color: red }"
        kind = {"content-type": "x/y"}
        assert got(f"{at}/sum", data=b"x" * 1024**2, headers=kind) == '{"size":1048576}'
        with pytest.raises(urllib.error.HTTPError, match="413"):
            got(f"{at}/sum", data=b"x" * (1024**2 + 1), headers=kind)
        forged = {"x-forwarded-for": "192.0.2.9", "x-forwarded-proto": "https"}
        assert got(f"{at}/who", headers=forged) == f'["127.0.0.1","{at}/who"]'


def test_the_zip_serves_alone_beside_its_files(write_site: Site, tmp_path: Path) -> None:
    built = made(write_site, dependencies='"uvicorn"', options='trust-proxy = ["127.0.0.0/8"]')
    with zipfile.ZipFile(built.out_dir / "functions/site.zip") as packed:
        packed.extractall(tmp_path / "app")
    for name in ("client", "routelet.json"):
        (built.out_dir / name).rename(tmp_path / "app" / name)
    with started([sys.executable, "-S", "-E", "entry.py"], cwd=tmp_path / "app") as at:
        assert "Home" in got(f"{at}/")
        assert got(f"{at}/seven") == '{"name":"seven"}'
        told = {"x-forwarded-for": "192.0.2.9", "x-forwarded-proto": "https",
                "x-forwarded-host": "evil.example"}  # fmt: skip
        https = at.replace("http:", "https:")
        assert got(f"{at}/who", headers=told) == f'["192.0.2.9","{https}/who"]'


def test_it_is_told_where_the_zip_has_no_server(
    write_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    made(write_site)
    assert "[asgi] uvicorn is not in the zip" in caplog.text
    caplog.clear()
    made(write_site, dependencies='"uvicorn"')
    assert "uvicorn" not in caplog.text


def test_without_uvicorn_a_start_says_what_to_install(write_site: Site) -> None:
    built = made(write_site)
    path = os.pathsep.join([str(built.out_dir.parent / "src"), *IMPORTABLE])
    done = subprocess.run(
        [sys.executable, "-S", str(built.out_dir / "entry.py")],
        env={"PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "pip install uvicorn" in done.stderr) == (1, True)


def test_a_port_that_is_none_is_told(write_site: Site) -> None:
    built = made(write_site)
    path = os.pathsep.join([str(built.out_dir.parent / "src"), *IMPORTABLE])
    done = subprocess.run(
        [sys.executable, str(built.out_dir / "entry.py")],
        env={"PYTHONPATH": path, "PORT": "http"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "PORT is 'http', which is no number\n"


def test_what_is_for_lambda_says_so(write_site: Site) -> None:
    dist = made(write_site).out_dir
    with pytest.raises(RouteletError, match="not built for Lambda"), Emulator(dist):
        pass
    ran = CliRunner().invoke(main, ["template", "sam", "--root", str(dist.parent)])
    assert (ran.exit_code, "by the adapter asgi" in ran.stderr) == (1, True)


def test_a_site_of_prerendered_pages_has_nothing_to_start(
    write_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    pages = {"src/pages/index.md": "# Home"}
    built = build(write_site(pages, pyproject=pyproject(output="static")))
    assert not (built.out_dir / "entry.py").exists()
    assert "there is no dist/entry.py" in caplog.text


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("prot = 1", 'unknown key "prot"'),
        ("port = 70000", "less than or equal to 65535"),
        ('host = ""', "at least 1 character"),
        ('trust-proxy = "10.0.0.1"', "true, or a list of addresses and networks"),
        ('trust-proxy = ["proxy.example"]', "true, or a list of addresses and networks"),
        ("trust-proxy = [1]", "true, or a list of addresses and networks"),
        ("max-body = 0", "greater than or equal to 1"),
    ],
)
def test_a_faulty_option_is_told_with_its_line(write_site: Site, option: str, what: str) -> None:
    with pytest.raises(RouteletError) as told:
        configure(write_site({}, pyproject=pyproject(options=option)), "build")
    assert what in told.value.what
    assert (told.value.where, told.value.status) == ("pyproject.toml:9", WRONG_USE)


@pytest.mark.parametrize("trusted", ["true", '["10.0.0.1", "fd00::/8"]'])
def test_proxies_are_all_or_addresses_and_networks(write_site: Site, trusted: str) -> None:
    configured = configure(
        write_site({}, pyproject=pyproject(options=f"trust-proxy = {trusted}")), "build"
    )
    assert configured.adapter is not None
    expected = True if trusted == "true" else ("10.0.0.1", "fd00::/8")
    assert configured.adapter.args["trust_proxy"] == expected
