"""The report in a real browser: figures that add up, keys, narrow and dark, and many functions.

Chromium is driven by its own protocol over two pipes: https://chromedevtools.github.io/devtools-protocol
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from routelet_bundler import build
from routelet_bundler.cli import main
from routelet_bundler.render.report_html import report_html

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip
PYPROJECT = (
    '[project]\nname = "shop"\nversion = "1"\ndependencies = ["jinja2"]\n'
    '[tool.routelet]\noutput = "server"\nadapter = "aws-lambda"\n'
)

LOADED = """new Promise((done) =>
  document.readyState === 'complete' ? done() : addEventListener('load', done))"""
CODES = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40}
TILES = """[...document.querySelectorAll('.map > .tile')].map((one) => ({
  name: one.getAttribute('aria-label').split(', ')[0],
  left: one.offsetLeft, top: one.offsetTop, width: one.offsetWidth, height: one.offsetHeight}))"""
SUMS = """data.functions.map((one) => ({zipped: one.zipped, unzipped: one.unzipped,
  sums: [1, 2].map(
    (by) => one.parts.reduce((sum, part) => sum + data.parts[part].tree[by], 0))}))"""
COLOURS = """['body', 'article', '.note', '.cell', '.tile', '.switch :checked + span'].map(
  (one) => {
  const found = document.querySelector(one);
  let under = found;
  const clear = 'rgba(0, 0, 0, 0)';
  while (getComputedStyle(under).backgroundColor === clear) under = under.parentElement;
  return [one, getComputedStyle(found).color, getComputedStyle(under).backgroundColor]})"""

pytestmark = [
    pytest.mark.counterpart,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]


class Browser:
    """A page of a headless Chromium."""

    def __init__(self, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        chromium = " ".join(["chromium", *FLAGS, f"--user-data-dir={profile}"])
        command = f"exec {chromium} --remote-debugging-pipe 3<&{theirs_in} 4>&{theirs_out}"
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest = b""
        self._count = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._count:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._in, 65536)
            assert data, "chromium has ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        read: dict[str, Any] = json.loads(message)
        return read

    def open(self, url: str) -> None:
        """Open a page, and wait until it is loaded."""
        self.events.clear()
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=url)
        self.run(LOADED)

    def run(self, code: str) -> Any:
        """Return the value of an expression in the page."""
        told = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def press(self, *keys: str) -> None:
        for key in keys:
            text = {"Enter": "\r"}.get(key, "")
            known = {"key": key, "code": key, "windowsVirtualKeyCode": CODES[key]}
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **known)
            self.send("Input.dispatchKeyEvent", type="keyUp", **known)

    def size(self, width: int, height: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def scheme(self, name: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.send("Emulation.setEmulatedMedia", features=features)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What the page threw, logged as an error, or asked for beside itself."""
        return [
            one
            for one in self.events
            if one["method"] in {"Runtime.exceptionThrown", "Log.entryAdded"}
            or (
                one["method"] == "Network.requestWillBeSent"
                and not one["params"]["request"]["url"].startswith(("file:///", "about:"))
            )
        ]

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(timeout=30)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a build of three functions, one of which changed, and its report."""
    root = tmp_path_factory.mktemp("report") / "shop"
    files = {
        "pyproject.toml": PYPROJECT,
        "src/pages/[id].py": "import jinja2\nimport lib.m\ndef GET(ctx):\n    return 'x'\n",
        "src/pages/b.py": "import lib.m\ndef GET(ctx):\n    return 'x'\n",
        "src/pages/c.py": "def GET(ctx):\n    return 'x'\n",
        "src/lib/m.py": "X = 1\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    build(root)
    (root / "src/pages/c.py").write_text("import wave\ndef GET(ctx):\n    return 'changed'\n")
    built = build(root)
    done = CliRunner().invoke(main, ["report", "--root", str(root)], catch_exceptions=False)
    assert done.exit_code == 0
    return built.out_dir


@pytest.fixture
def page(browser: Browser, dist: Path) -> Browser:
    browser.size(1300, 900)
    browser.scheme("light")
    browser.open((dist / "report.html").as_uri())
    return browser


def shown(browser: Browser, selector: str) -> list[str]:
    texts: list[str] = browser.run(
        f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.innerText)"
    )
    return texts


def functions_of(dist: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((dist / "routelet.json").read_text())["functions"]
    return sorted(read, key=lambda one: -one["zippedBytes"])


def test_the_page_needs_nothing_else_and_has_no_faults(page: Browser, dist: Path) -> None:
    html = (dist / "report.html").read_text()
    assert page.faults == []
    assert not re.search(r"""(src|href)\s*=|url\(|@import|https?://""", html)
    assert shown(page, "h1") == ["shop"]
    assert shown(page, "#functions .route") == [one["routes"][0] for one in functions_of(dist)]
    assert shown(page, "#totals")[0].startswith("3 functions, ")
    assert shown(page, "#totals")[0].endswith("1 function changed since the last build")


def test_the_parts_of_a_function_add_up_to_its_zip(page: Browser) -> None:
    told = page.run(SUMS)
    for one in told:
        end_of_central_directory = 22
        assert one["sums"][1] == one["unzipped"]
        assert 0 <= one["zipped"] - end_of_central_directory - one["sums"][0] < 1000  # folders


def test_tiles_fill_the_map_and_do_not_overlap(page: Browser) -> None:
    tiles = page.run(TILES)
    map_ = "document.querySelector('.map')"
    width, height = page.run(f"[{map_}.clientWidth, {map_}.clientHeight]")
    assert {one["name"] for one in tiles} == {
        "jinja2",
        "markupsafe",
        "routelet runtime",
        "the site's own",
    }
    area = sum(one["width"] * one["height"] for one in tiles)
    assert abs(area / (width * height) - 1) < 0.02
    for number, one in enumerate(tiles):
        for other in tiles[number + 1 :]:
            over, down = (overlap(one, other, *names) for names in (X, Y))
            assert min(over, down) <= 1


X, Y = ("left", "width"), ("top", "height")


def overlap(one: dict[str, int], other: dict[str, int], start: str, length: str) -> int:
    end = min(one[start] + one[length], other[start] + other[length])
    return end - max(one[start], other[start])


def test_sizes_can_be_zipped_or_unzipped(page: Browser) -> None:
    zipped = shown(page, "#functions .number")
    page.run("document.querySelector('[value=unzipped]').click()")
    assert shown(page, "#functions .number") != zipped
    assert "unzipped" in shown(page, "#totals")[0]


def test_it_is_used_by_keys_alone(page: Browser) -> None:
    page.run("document.querySelector('#order').focus()")
    page.press("Tab")
    page.press("ArrowDown")
    assert shown(page, "article h2") == ["/b"] or shown(page, "article h2") == ["/c"]
    page.run("document.querySelectorAll('#functions input')[0].click()")
    page.run("document.querySelector('#functions :checked').focus()")
    page.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label').split(', ')[0]"
    assert page.run(focused) == "jinja2"
    page.press("ArrowRight", "ArrowLeft", "Enter")
    assert "jinja2" in shown(page, ".path")[0]
    assert page.run(focused) == "jinja2"  # the folder in the distribution
    assert "filters.py" in "".join(shown(page, ".map"))
    page.press("Escape")
    assert page.run(focused) == "jinja2"
    assert "the whole zip" in shown(page, ".path b")[0]


def test_a_function_tells_what_to_cut_what_it_imports_and_what_changed(page: Browser) -> None:
    (cut, *_) = shown(page, ".cuts li")
    assert "jinja2 at src/pages/[id].py:1" in cut
    assert "markupsafe" in cut
    assert "jinja2.environment" in "".join(shown(page, ".imports"))
    page.run("location.hash = '#c'; location.reload()")
    page.run("new Promise((done) => setTimeout(done, 300))")
    assert shown(page, "article h2") == ["/c"]
    changed = "".join(shown(page, "article table:not(.imports)"))
    assert "src/pages/c.py" in changed
    assert "wave" in "".join(shown(page, ".imports"))


@pytest.mark.parametrize(("width", "height"), [(360, 700), (800, 600), (1300, 900), (2400, 1300)])
def test_no_width_needs_scrolling_to_the_side(page: Browser, width: int, height: int) -> None:
    page.size(width, height)
    page.run("new Promise(requestAnimationFrame)")
    assert page.run("document.documentElement.scrollWidth") <= width
    tiles = page.run(TILES)
    assert max(one["left"] + one["width"] for one in tiles) <= page.run(
        "document.querySelector('.map').clientWidth + 1"
    )


def test_text_stands_out_in_light_and_in_dark(page: Browser) -> None:
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        page.run("new Promise(requestAnimationFrame)")
        pairs = page.run(COLOURS)
        for selector, text, ground in pairs:
            assert contrast(text, ground) >= 4.5, (scheme, selector, text, ground)


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.1, 1.4.3."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    numbers = [float(one) for one in re.findall(r"[\d.]+", colour.partition("(")[2])][:3]
    parts = numbers if colour.startswith("color(") else [one / 255 for one in numbers]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def many(count: int, name: str = "e") -> dict[str, Any]:
    """Return the data of a report of `count` functions."""
    tree = ["numpy", 900, 4000, [["core", 900, 4000]]]
    shared = {"kind": "distribution", "version": "1", "tree": tree}
    own = [{"kind": "site", "tree": [f"own {number}", 10, 20]} for number in range(count)]
    functions = [
        {
            "name": f"{name}{number}", "routes": [f"/{name}{number}"], "pages": [f"{name}.py"],
            "zipped": 910 + count - number, "unzipped": 4020, "parts": [0, number + 1],
            "python": "3.12", "architecture": "arm64", "provided": ["boto3"], "omitted": [],
            "start": {"failure": "built for arm64"}, "cuts": [], "change": None,
        }
        for number in range(count)
    ]  # fmt: skip
    return {
        "site": name, "parts": [shared, *own], "modules": [], "functions": functions,
        "shared": [{"name": "numpy", "version": "1", "functions": count, "zipped": 900 * count}],
        "compared": False, "removed": [],
    }  # fmt: skip


def test_a_thousand_functions_are_listed_in_part_and_found_by_a_filter(
    browser: Browser, tmp_path: Path
) -> None:
    html = report_html(many(1000))
    assert len(html) < 500_000
    (tmp_path / "report.html").write_text(html)
    browser.open((tmp_path / "report.html").as_uri())
    assert len(shown(browser, "#functions label")) == 400
    assert shown(browser, "#left-out") == ["600 more functions: filter to find them"]
    browser.run("$('filter').value = 'E77'; $('filter').dispatchEvent(new Event('input'))")
    assert shown(browser, "#functions .route")[:2] == ["/e77", "/e770"]
    assert shown(browser, "#left-out") == [""]
    browser.run("$('filter').value = 'nothing'; $('filter').dispatchEvent(new Event('input'))")
    assert shown(browser, "#left-out") == ["No route has that in its name."]
    assert browser.faults == []


def test_one_function_needs_no_list(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(report_html(many(1)))
    browser.open((tmp_path / "report.html").as_uri())
    assert browser.run("document.querySelector('nav').offsetHeight") == 0
    assert browser.run("document.querySelector('#shared').hidden")
    assert shown(browser, "article .note")[0] == "Left to the host: boto3"
    assert shown(browser, "article .note")[-1] == "Not measured: built for arm64."


def test_names_stay_text_whatever_is_in_them(browser: Browser, tmp_path: Path) -> None:
    name = "</script><script>window.hacked = 1</script><b>&amp;<!--"
    (tmp_path / "report.html").write_text(report_html(many(2, name)))
    browser.open((tmp_path / "report.html").as_uri())
    assert shown(browser, "h1") == [name]
    assert shown(browser, "article h2") == [f"/{name}0"]
    assert browser.run("window.hacked") is None
    assert browser.faults == []
