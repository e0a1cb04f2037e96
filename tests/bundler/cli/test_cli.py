import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from routelet_bundler.cli import COMMANDS, main
from routelet_bundler.cli.terminal import size
from routelet_bundler.version import __version__

Site = Callable[..., Path]

STATIC = "[tool.routelet]\n"
SERVER = '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("CI", raising=False)


def run(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(
        main, [str(argument) for argument in arguments], env=environment, catch_exceptions=False
    )


def on_terminal(arguments: Sequence[str], **environment: str) -> str:
    """Run the command line with a terminal as its standard error, and return what it shows."""
    code = "from routelet_bundler.cli import main; main()"
    names = {"NO_COLOR", "FORCE_COLOR", "CI"}
    kept = {key: value for key, value in os.environ.items() if key not in names}
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **environment},
    ):
        os.close(theirs)
        return b"".join(_read_all(ours)).decode()


def _read_all(terminal: int) -> Iterator[bytes]:
    """Yield what is shown; a terminal that nobody writes to any more is an error on Linux."""
    with suppress(OSError):
        while data := os.read(terminal, 4096):
            yield data
    os.close(terminal)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_needs_no_stage_loads_none(option: str) -> None:
    code = (
        "import json, sys\n"
        "from routelet_bundler.cli import main\n"
        f"try: main([{option!r}])\n"
        "except SystemExit as done: assert done.code == 0\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    shown, _, loaded = done.stdout.rstrip("\n").rpartition("\n")
    modules = json.loads(loaded)
    ours = {name for name in modules if name.startswith(("routelet_bundler", "routelet."))}
    assert ours == {"routelet_bundler", "routelet_bundler.cli", "routelet_bundler.version"}
    assert not {"jinja2", "pydantic", "rich", "yaml", "markdown_it"} & set(modules)
    assert __version__ in shown or "Commands:" in shown


def test_help_names_every_command() -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    assert [name for name in COMMANDS if name not in shown.output] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str) -> None:
    shown = run(name, "--help")
    assert shown.exit_code == 0
    assert " ".join(COMMANDS[name].split()[:4]) in shown.output
    assert "--root" in shown.output


@pytest.mark.parametrize(
    ("typed", "hint"), [("biuld", 'did you mean "build"?'), ("route", '"routes"'), ("xyz", "")]
)
def test_an_unknown_command_names_the_nearest(typed: str, hint: str) -> None:
    shown = run(typed)
    assert shown.exit_code == 2
    assert f'no command "{typed}"' in shown.stderr
    assert hint in shown.stderr
    assert ("did you mean" in shown.stderr) is bool(hint)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["routes", "--nope"],
        ["routes", "--root", "/nowhere/at/all"],
        ["routes", "/about"],
        ["build", "--jobs", "0"],
        ["template", "pulumi"],
        ["emulate", "--port", "65536"],
    ],
)
def test_wrong_use_has_status_2(arguments: list[str]) -> None:
    shown = run(*arguments)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert "Error:" in shown.stderr


def test_done_has_status_0(write_site: Site) -> None:
    shown = run("routes", "--root", write_site({"src/pages/a.py": ""}))
    assert shown.exit_code == 0


def test_a_faulty_page_has_status_1(write_site: Site) -> None:
    root = write_site({"src/pages/[id].py": "def GET(:\n", "src/pages/b.md": "---\n"})
    shown = run("routes", "--root", root)
    assert shown.exit_code == 1
    assert "error src/pages/[id].py:1: " in shown.stderr
    assert "\n  correct the syntax\n" in shown.stderr
    assert "error src/pages/b.md:1: the front matter is not closed" in shown.stderr
    assert shown.stdout == ""


def test_a_faulty_configuration_has_status_2_and_tells_all(write_site: Site) -> None:
    text = '[tool.routelet]\nouput = "static"\nbase = 1\n'
    shown = run("routes", "--root", write_site({}, pyproject=text))
    assert shown.exit_code == 2
    assert 'error pyproject.toml:2: unknown key "ouput"' in shown.stderr
    assert '  did you mean "output"?' in shown.stderr
    assert 'error pyproject.toml:3: "base"' in shown.stderr


@pytest.mark.parametrize("command", [["routes"], ["build"], ["template", "sam"], ["emulate"]])
def test_a_folder_that_is_no_site_has_status_2(tmp_path: Path, command: list[str]) -> None:
    shown = run(*command, "--root", tmp_path)
    assert shown.exit_code == 2
    assert "there is no pyproject.toml" in shown.stderr


def test_a_template_of_nothing_says_what_to_do_first(write_site: Site) -> None:
    shown = run("template", "sam", "--root", write_site({}))
    assert shown.exit_code == 1
    assert "run `routelet build` first" in shown.stderr


def test_routes_are_listed_in_matching_order(write_site: Site) -> None:
    pyproject = f'{SERVER}[tool.routelet.redirects]\n"/old/page" = "/a"\n'
    files = {"src/pages/[id].py": "", "src/pages/a.md": "---\nprerender: true\n---\n"}
    shown = run("routes", "--root", write_site(files, pyproject=pyproject))
    lines = [line.split() for line in shown.output.splitlines()]
    assert lines == [
        ["route", "file", "type", "rendered"],
        ["/a", "src/pages/a.md", "page", "at", "build"],
        ["/[id]", "src/pages/[id].py", "endpoint", "on", "demand"],
        ["/old/page", "redirect", "to", "/a"],
    ]


def test_json_of_routes_is_as_in_the_manifest(write_site: Site) -> None:
    files = {"src/pages/[id=int].py": "", "src/pages/a.txt": "", "src/pages/b.md": ""}
    shown = run("routes", "--json", "--root", write_site(files, pyproject=SERVER))
    assert json.loads(shown.stdout) == {
        "routes": [
            {
                "route": "/b",
                "component": "src/pages/b.md",
                "type": "page",
                "pattern": "^/b/?$",
                "segments": [[{"content": "b", "dynamic": False, "spread": False}]],
                "params": [],
                "prerender": False,
                "function": None,
            },
            {
                "route": "/[id=int]",
                "component": "src/pages/[id=int].py",
                "type": "endpoint",
                "pattern": "^/(-?[0-9]+)/?$",
                "segments": [[{"content": "id", "dynamic": True, "spread": False, "type": "int"}]],
                "params": ["id"],
                "prerender": False,
                "function": None,
            },
        ]
    }
    assert "warning src/pages/a.txt: not a page" in shown.stderr


@pytest.mark.parametrize(
    ("url", "route", "params"),
    [
        ("/posts/7", "/posts/[id]", {"id": "7"}),
        ("posts/7", "/posts/[id]", {"id": "7"}),
        ("/posts/7?a=/x#y", "/posts/[id]", {"id": "7"}),
        ("https://example.com/posts/7", "/posts/[id]", {"id": "7"}),
        ("HTTP://example.com/posts/a%20b?x", "/posts/[id]", {"id": "a b"}),
        ("https://example.com", "/", {}),
        ("https://example.com?next=/posts/7", "/", {}),
        ("https://example.com/#/posts/7", "/", {}),
        ("", "/", {}),
        ("/posts/%zz", None, {}),
        ("/posts", None, {}),
    ],
)
def test_a_url_is_matched_by_its_path(
    write_site: Site, url: str, route: str | None, params: dict[str, str]
) -> None:
    root = write_site({"src/pages/posts/[id].py": "", "src/pages/index.py": ""})
    [match] = json.loads(run("routes", "--root", root, "--json", "--match", url).stdout)["matches"]
    assert (match["url"], match["route"], match["params"]) == (url, route, params)
    assert (match["component"] is None) is (route is None)


def test_matches_are_told_to_people_line_by_line(write_site: Site) -> None:
    pyproject = f'{STATIC}base = "/docs"\nredirects = {{ "/old" = "/a" }}\n'
    root = write_site({"src/pages/[id].py": ""}, pyproject=pyproject)
    shown = run("routes", "--root", root, "--match", "/docs/7", "--match", "/docs/x/y", "/other")
    assert shown.stdout.splitlines() == [
        "/docs/7  /[id]  src/pages/[id].py  id='7'",
        "/docs/x/y  -  404",
        "/other  -  404",
    ]


def test_json_of_a_build_is_its_manifest_alone(write_site: Site, tmp_path: Path) -> None:
    root = write_site({"src/pages/a.md": "# A", "src/pages/b.txt": ""})
    shown = run("build", "--json", "--root", root, ROUTELET_CACHE=str(tmp_path / "cache"))
    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == json.loads((root / "dist/routelet.json").read_text())
    assert "discover ..." in shown.stderr
    assert "warning src/pages/b.txt" in shown.stderr
    assert "functions: 0, prerendered files: 1" in shown.stderr


def test_json_of_what_failed_is_nothing(write_site: Site) -> None:
    root = write_site({"src/pages/a.py": "def GET(:\n"})
    for command in ("routes", "build"):
        shown = run(command, "--json", "--root", root)
        assert (shown.exit_code, shown.stdout) == (1, "")
        assert "error src/pages/a.py:1" in shown.stderr


def test_two_pages_for_one_url_are_a_warning_in_a_list_and_fail_a_build(write_site: Site) -> None:
    root = write_site({"src/pages/a.md": "", "src/pages/a/index.md": ""})
    listed, built = run("routes", "--root", root), run("build", "--root", root)
    assert (listed.exit_code, built.exit_code) == (0, 1)
    assert "warning src/pages/a.md: answers the same URLs" in listed.stderr
    assert "error src/pages/a.md: answers the same URLs" in built.stderr


def test_mistakes_are_annotations_in_github_actions(write_site: Site) -> None:
    root = write_site({"src/pages/[id].py": "\ndef GET(:\n", "src/pages/a.txt": ""})
    shown = run("routes", "--root", root, GITHUB_ACTIONS="true")
    assert "\n::error file=src/pages/[id].py,line=2::" in shown.stderr
    assert "::error" not in run("routes", "--root", root).stderr
    (root / "src/pages/[id].py").write_text("")
    shown = run("routes", "--json", "--root", root, GITHUB_ACTIONS="true")
    assert "\n::warning::src/pages/a.txt: not a page" in shown.stderr
    assert list(json.loads(shown.stdout)) == ["routes"]


def test_an_annotation_is_one_line(write_site: Site) -> None:
    root = write_site({}, pyproject='[tool.routelet]\nbase = 1\n"100%\\n" = 1\n')
    shown = run("routes", "--root", root, GITHUB_ACTIONS="true")
    annotations = [line for line in shown.stderr.splitlines() if line.startswith("::")]
    assert annotations[1] == '::error file=pyproject.toml,line=3::unknown key "100%25%0A"'
    assert len(annotations) == 2


def test_colours_are_for_terminals_that_want_them(write_site: Site) -> None:
    root = str(write_site({}, pyproject="[tool.routelet]\nbase = 1\n"))
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    coloured = on_terminal(["routes", "--root", root])
    plain = on_terminal(["routes", "--root", root], NO_COLOR="1")
    assert colour.search(coloured)
    assert not colour.search(plain)
    assert "pyproject.toml:2" in coloured
    assert "pyproject.toml:2" in plain
    assert "\x1b" not in run("routes", "--root", root).stderr


def test_progress_on_a_terminal_is_a_bar(write_site: Site, tmp_path: Path) -> None:
    root = write_site({"src/pages/a.md": ""})
    cache = str(tmp_path / "cache")
    shown = on_terminal(["build", "--root", str(root)], ROUTELET_CACHE=cache)
    assert "discover ..." not in shown
    assert "prerendered files: 1" in shown


def test_what_an_integration_logs_is_for_people(write_site: Site, tmp_path: Path) -> None:
    plug = (
        "from routelet_bundler.adapter import Integration\n"
        "class Plug(Integration):\n"
        "    name = 'plug'\n"
        "    def build_start(self, payload):\n"
        "        payload.logger.info('[b]ready[/b]')\n"
    )
    pyproject = '[tool.routelet]\nintegrations = ["plug_that_logs:Plug"]\n'
    root = write_site({"plug_that_logs.py": plug, "src/pages/a.md": ""}, pyproject=pyproject)
    shown = run("build", "--root", root, "--json", ROUTELET_CACHE=str(tmp_path / "cache"))
    assert "\n[plug] [b]ready[/b]\n" in shown.stderr
    assert "plug" not in shown.stdout


PRINTS = """
import logging, os, subprocess, sys
from routelet_bundler.adapter import Integration

print("at the top")
handler = logging.StreamHandler(sys.__stdout__)

class Plug(Integration):
    name = "plug"

    def config_setup(self, payload):
        print("in a hook")
        sys.__stdout__.write("past print\\n")
        os.write(1, b"past Python\\n")
        subprocess.run(["echo", "in a process"])

    def build_done(self, payload):
        print("in another hook")
"""


@pytest.mark.parametrize("command", ["build", "routes"])
def test_what_an_integration_prints_is_no_part_of_json(
    write_site: Site, tmp_path: Path, command: str
) -> None:
    pyproject = '[tool.routelet]\nintegrations = ["plug_that_prints:Plug"]\n'
    root = write_site({"plug_that_prints.py": PRINTS, "src/pages/a.md": ""}, pyproject=pyproject)
    code = "from routelet_bundler.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", code, command, "--json", "--root", str(root)],
        env={**os.environ, "ROUTELET_CACHE": str(tmp_path / "cache")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [one["route"] for one in json.loads(shown.stdout)["routes"]] == ["/a"]
    said = {"at the top", "in a hook", "past print", "past Python", "in a process"}
    said |= {"in another hook"} if command == "build" else set()
    assert said <= set(shown.stderr.splitlines())


def test_warnings_and_errors_of_an_integration_are_told_as_those(
    write_site: Site, tmp_path: Path
) -> None:
    plug = (
        "from routelet_bundler.adapter import Integration\n"
        "class Plug(Integration):\n"
        "    name = 'plug'\n"
        "    def build_start(self, payload):\n"
        "        payload.logger.debug('as it is')\n"
        "        payload.logger.warning('no %s', 'key')\n"
        "        try:\n"
        "            {}['key']\n"
        "        except KeyError:\n"
        "            payload.logger.exception('lost')\n"
    )
    pyproject = '[tool.routelet]\nintegrations = ["plug_that_warns:Plug"]\n'
    root = write_site({"plug_that_warns.py": plug, "src/pages/a.md": ""}, pyproject=pyproject)
    cache = str(tmp_path / "cache")
    shown = run("build", "--root", root, ROUTELET_CACHE=cache, GITHUB_ACTIONS="true")
    assert shown.exit_code == 0
    assert "\nwarning [plug] no key\n::warning::[plug] no key\n" in shown.stderr
    assert "\nerror [plug] lost\nTraceback" in shown.stderr
    assert "\n::error::[plug] lost%0ATraceback" in shown.stderr
    assert "as it is" not in shown.stderr


def test_colons_in_names_stay_what_they_are(write_site: Site) -> None:
    root = write_site({"src/pages/:smile:.md": "", "src/pages/:b:.txt": ""})
    shown = run("routes", "--root", root)
    assert "/:smile: " in shown.output
    assert "warning src/pages/:b:.txt: not a page" in shown.stderr
    (root / "pyproject.toml").write_text('[tool.routelet]\nadapter = ":x:y"\n')
    assert '":x:y" cannot be loaded' in run("routes", "--root", root).stderr


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0.0 KB"),
        (1536, "1.5 KB"),
        (1024 * 1024 - 1, "1,024.0 KB"),
        (5 * 1024 * 1024, "5.00 MB"),
    ],
)
def test_sizes_are_told_as_people_read_them(count: int, text: str) -> None:
    assert size(count) == text


def test_a_build_tells_what_each_split_would_give(write_site: Site) -> None:
    root = write_site({"src/pages/a.py": "", "src/pages/b.py": ""}, SERVER)
    shown = run("build", "--root", root).output
    rows = [line.split()[0] for line in shown.partition("split ")[2].splitlines()[1:5]]
    assert rows == ["route", "config", "auto", "single"]
    assert "route (this build)" in shown
    assert "routes of a function" not in shown
    with (root / "pyproject.toml").open("a") as file:
        file.write('[tool.routelet.adapters.aws-lambda]\nsplit = "auto"\n')
    shown = run("build", "--root", root).output
    assert "auto (this build)" in shown
    assert "one function, not 2" in shown
    as_json = json.loads(run("build", "--root", root, "--json").stdout)
    assert [one["routes"] for one in as_json["splits"]["choices"]] == [["/a", "/b"]]


def test_a_build_of_one_route_has_no_splits_to_tell_of(write_site: Site) -> None:
    root = write_site({"src/pages/a.py": ""}, SERVER)
    assert "this build" not in run("build", "--root", root).output
