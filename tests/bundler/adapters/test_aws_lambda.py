"""What a build for Lambda tells of the machine that builds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler import build
from routelet_bundler.model import HOST

SITE = '[tool.routelet]\noutput = "hybrid"\nadapter = "aws-lambda"\n'
PINNED = f'{SITE}[tool.routelet.adapters.aws-lambda]\nruntime = "python{HOST}"\n'
ON_DEMAND = "prerender = False\ndef GET(ctx):\n    return 'x'\n"
BuildTold = Callable[..., tuple[Path, str]]


@pytest.fixture
def build_in(
    write_site: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> BuildTold:
    """Return a function that builds a page where CI has a value; it returns dist/ and the log."""

    def made(ci: str | None, pyproject: str = SITE, page: str = ON_DEMAND) -> tuple[Path, str]:
        caplog.clear()
        monkeypatch.delenv("CI", raising=False)
        if ci is not None:
            monkeypatch.setenv("CI", ci)
        built = build(write_site({"src/pages/a.py": page}, pyproject=pyproject))
        assert not any("pin it" in warning for warning in built.warnings)
        return built.out_dir, caplog.text

    return made


@pytest.mark.parametrize("ci", ["true", "1", "True"])
def test_a_runtime_that_is_not_pinned_is_warned_of_in_ci(build_in: BuildTold, ci: str) -> None:
    _, told = build_in(ci)
    assert f"[aws-lambda] functions are for Python {HOST}, as it is this machine's" in told
    assert f'runtime = "python{HOST}"' in told


@pytest.mark.parametrize("ci", [None, "", "false", "0"])
def test_nobody_is_warned_elsewhere(build_in: BuildTold, ci: str | None) -> None:
    assert "pin it" not in build_in(ci)[1]


@pytest.mark.parametrize(
    ("pyproject", "page"), [(PINNED, ON_DEMAND), (SITE, "def GET(ctx):\n    return 'x'\n")]
)
def test_a_runtime_that_is_pinned_or_that_nothing_needs_is_not_warned_of(
    build_in: BuildTold, pyproject: str, page: str
) -> None:
    assert "pin it" not in build_in("true", pyproject, page)[1]


def test_what_is_built_is_the_same_in_ci(build_in: BuildTold) -> None:
    def files(dist: Path) -> dict[str, bytes]:
        return {str(one): one.read_bytes() for one in dist.rglob("*") if one.is_file()}

    elsewhere = files(build_in(None)[0])
    assert any(name.endswith("/routelet.json") for name in elsewhere)
    assert files(build_in("true")[0]) == elsewhere
