"""What pages said before is known by their digests, and faulty ones are told all the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from routelet_bundler.cache import Cache
from routelet_bundler.discover import discover
from routelet_bundler.discover.page_memory import PageMemory
from routelet_bundler.errors import RouteletError
from routelet_bundler.model import Config, RouteConfig

Write = Callable[..., Path]
PAGES = {
    "src/pages/a.md": "---\nprerender: true\nlayout: layouts/x.jinja\n---\n",
    "src/pages/b.py": "config = {'memory': 512}\n\n\ndef GET(ctx): ...\n",
    "src/pages/c.md": "---\ndraft: true\n---\n",
    "src/pages/d.html": "x",
}


@pytest.mark.parametrize("count", [0, 1_000])
def test_a_site_is_the_same_from_memory(write_site: Write, tmp_path: Path, count: int) -> None:
    many = {f"src/pages/many/{n}.md": f"---\ntitle: {n}\n---\n" for n in range(count)}
    root = write_site({**PAGES, **many})
    config, cache = Config(output="server"), Cache(tmp_path / "cache")
    plain = discover(root, config)
    memory = PageMemory.of(root, cache)
    assert memory.is_new
    first = discover(root, config, memory)
    memory.keep(root, cache)
    known = PageMemory.of(root, cache)
    assert not known.is_new
    again = discover(root, config, known)
    for site in (first, again):
        assert list(map(told, site.pages)) == list(map(told, plain.pages))
    assert again.pages[[page.file for page in again.pages].index("b.py")].config == RouteConfig(
        memory=512
    )


def told(page: object) -> tuple[object, ...]:
    names = ("file", "digest", "prerender", "layout", "layout_line", "config", "has_static_paths")
    return tuple(getattr(page, name) for name in names)


def test_a_faulty_page_among_many_is_told_at_its_line(write_site: Write) -> None:
    many = {f"src/pages/many/{n}.md": "" for n in range(1_000)}
    root = write_site({**many, "src/pages/bad.md": "---\na: 1\ndraft: 3\n---\n"})
    with pytest.raises(RouteletError) as raised:
        discover(root, Config(), PageMemory())
    assert raised.value.where == "src/pages/bad.md:3"


def test_a_page_that_changed_is_read_again(write_site: Write, tmp_path: Path) -> None:
    root, cache = write_site(PAGES), Cache(tmp_path / "cache")
    memory = PageMemory.of(root, cache)
    discover(root, Config(output="server"), memory)
    memory.keep(root, cache)
    (root / "src/pages/c.md").write_text("---\ndraft: false\n---\n")
    site = discover(root, Config(output="server"), PageMemory.of(root, cache))
    assert "c.md" in {page.file for page in site.pages}
