"""Collections: folders of Markdown as data, for pages at build time and in functions."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler import RouteletError, build
from routelet_bundler.emulator import Emulator

PYPROJECT = '[project]\nname = "site"\nversion = "1"\ndependencies = ["pydantic>=2"]\n'
SERVER = '[tool.routelet]\noutput = "hybrid"\nadapter = "aws-lambda"\n'
POST = (
    "from datetime import date\nfrom pydantic import BaseModel\nfrom routelet.content import "
    "collection\n\n\nclass Post(BaseModel):\n    title: str\n    published: date\n"
    "    tags: list[str] = []\n\n\ndef posts():\n    return collection('blog', Post)\n"
)
LIST = "from lib.posts import posts\n\n\ndef GET(ctx):\n    return [one.slug for one in posts()]\n"
PAGE = (
    "from lib.posts import posts\n\n\ndef get_static_paths():\n"
    "    return [{'params': {'slug': one.slug}, 'props': {'post': one}} for one in posts()]\n\n\n"
    "def GET(ctx):\n    return ctx.render('layouts/post.jinja', post=ctx.props['post'])\n"
)
FILES: Mapping[str, str] = {
    "src/lib/posts.py": POST,
    "src/layouts/post.jinja": (
        "<h1>{{ post.data.title }}</h1>{{ post.html }}{{ post.headings[0].slug }}"
        "{{ post.data.published.year }}"
    ),
    "src/pages/posts.json.py": LIST,
    "src/pages/posts/[...slug].py": PAGE,
    "src/content/blog/one.md": "---\ntitle: One & only\npublished: 2026-01-02\n---\n## A head\n",
    "src/content/blog/2025/two.md": "---\ntitle: Two\npublished: 2025-01-02\n---\n# B\n**x**\n",
    "src/content/blog/2025/index.md": "---\ntitle: All\npublished: 2025-01-01\n---\n# All\n",
    "src/content/blog/draft.md": "---\ndraft: true\n---\nnot yet",
    "src/content/blog/picture.txt": "no Markdown",
    "src/content/README.md": "no collection",
}
Write = Callable[..., Path]


@pytest.fixture
def site(write_site: Write) -> Callable[..., Path]:
    def make(files: Mapping[str, str] | None = None, config: str = "") -> Path:
        return write_site({**FILES, **(files or {})}, pyproject=PYPROJECT + config)

    return make


def client(root: Path, name: str) -> str:
    return (build(root).out_dir / "client" / name).read_text()


def test_entries_are_in_the_order_of_their_slugs_and_drafts_are_none(site: Write) -> None:
    assert json.loads(client(site(), "posts.json")) == ["2025", "2025/two", "one"]


def test_a_template_gets_html_headings_and_what_the_schema_made(site: Write) -> None:
    assert client(site(), "posts/one/index.html") == (
        '<h1>One &amp; only</h1><h2 id="a-head">A head</h2>\na-head2026'
    )
    assert "<strong>x</strong>" in client(site(), "posts/2025/two/index.html")


def test_without_a_schema_data_is_the_front_matter(site: Write) -> None:
    page = (
        "from routelet import content\n\n\ndef GET(ctx):\n"
        "    return [repr(one.data) for one in content.collection('blog')]\n"
    )
    told = json.loads(client(site({"src/pages/posts.json.py": page}), "posts.json"))
    assert told[-1] == "{'title': 'One & only', 'published': datetime.date(2026, 1, 2)}"


def test_every_mistake_is_told_with_file_and_line(site: Write) -> None:
    faulty = {
        "src/content/blog/one.md": "---\ntitle: One\npublished: soon\ntags: [a, [b]]\n---\n",
        "src/content/blog/three.md": "text",
    }
    with pytest.raises(RouteletError) as raised:
        build(site(faulty))
    lines = raised.value.what.splitlines()
    assert lines[0].startswith("ContentError: src/content/blog/one.md:3: published: Input should")
    assert lines[1].startswith("src/content/blog/one.md:4: tags.1: Input should be")
    assert lines[2] == "src/content/blog/three.md:1: title: Field required"
    assert raised.value.where == "src/lib/posts.py:13"


def test_faulty_front_matter_is_told_at_its_line_in_every_file(site: Write) -> None:
    faulty = {
        "src/content/blog/one.md": "---\na: 1\nb: [\n---\n",
        "src/content/blog/two.md": "---\nnot closed",
    }
    with pytest.raises(RouteletError) as raised:
        build(site(faulty))
    told = [raised.value.where, *(other.where for other in raised.value.others)]
    assert told == ["src/content/blog/one.md:4", "src/content/blog/two.md:1"]


@pytest.mark.parametrize("name", ["blogs", "README"])
def test_a_collection_that_is_not_there_is_told(site: Write, name: str) -> None:
    page = (
        f"from routelet.content import collection as c\n\n\ndef GET(ctx):\n    return c({name!r})\n"
    )
    with pytest.raises(RouteletError, match=f'reads the collection "{name}"') as raised:
        build(site({"src/pages/posts.json.py": page}))
    assert raised.value.where == "src/pages/posts.json.py:5"
    hidden = page.replace(f"c({name!r})", f"c(''.join(reversed(['{name[2:]}', '{name[:2]}'])))")
    with pytest.raises(RouteletError, match=f'no collection "{name}": src/content/{name}/'):
        build(site({"src/pages/posts.json.py": hidden}))
    on_demand = {"src/pages/posts.json.py": f"prerender = False\n{page}"}
    with pytest.raises(RouteletError, match=f'reads the collection "{name}"') as raised:
        build(site(on_demand, config=SERVER))
    assert raised.value.where == "src/pages/posts.json.py:6"


def test_a_folder_whose_name_is_no_word_is_refused(site: Write) -> None:
    with pytest.raises(RouteletError, match="is no name of a collection") as raised:
        build(site({"src/content/my blog/a.md": ""}))
    assert raised.value.where == "src/content/my blog"


@pytest.mark.counterpart
def test_a_function_has_the_entries_and_no_reader_of_markdown(site: Write) -> None:
    files = {"src/pages/posts.json.py": f"prerender = False\n{LIST}"}
    made = build(site(files, config=SERVER))
    [function] = made.functions
    names = [distribution.name for distribution, _ in function.function.traced.distributions]
    assert "pydantic" in names
    assert not {"markdown-it-py", "pyyaml"} & set(names)
    with Emulator(made.out_dir) as lambda_:
        assert lambda_.get("/posts.json").json() == ["2025", "2025/two", "one"]


def test_a_name_may_have_a_dash_and_private_files_are_no_entries(site: Write) -> None:
    page = "from routelet.content import collection\n\n\ndef GET(ctx):\n"
    page += "    return [one.slug for one in collection(name='my-notes')]\n"
    files = {"a.md": "a", "_b.md": "b", "_c/d.md": "d", ".e.md": "e"}
    notes = {f"src/content/my-notes/{name}": text for name, text in files.items()}
    assert json.loads(client(site({"src/pages/n.json.py": page, **notes}), "n.json")) == ["a"]


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("one/index.md", "---\ndraft: false\n---\n", "has the slug of src/content/blog/one"),
        ("x.md", "---\ndraft: 'yes'\n---\n", "draft is 'yes'"),
    ],
)
def test_entries_that_are_no_pages_of_a_site_are_refused(
    site: Write, file: str, text: str, what: str
) -> None:
    with pytest.raises(RouteletError, match=what) as raised:
        build(site({f"src/content/blog/{file}": text}))
    assert raised.value.where.startswith(f"src/content/blog/{file.partition('/')[0]}")


def test_what_one_page_changes_of_an_entry_another_does_not_see(site: Write) -> None:
    page = (
        "from routelet.content import collection\n\n\ndef GET(ctx):\n"
        "    entry = collection('blog')[-1]\n    entry.data['title'] += '!'\n"
        "    return entry.data['title']\n"
    )
    files = {"src/pages/a.py": page, "src/pages/b.py": page}
    root = build(site(files), jobs=1).out_dir / "client"
    assert (root / "a/index.html").read_text() == (root / "b/index.html").read_text()


def test_an_edited_entry_is_rendered_again_as_by_a_clean_build(site: Write, tmp_path: Path) -> None:
    root = site()
    build(root)
    (root / "src/content/blog/one.md").write_text(FILES["src/content/blog/one.md"] + "more\n")
    edited = client(root, "posts/one/index.html")
    clean = build(root, tmp_path / "clean", cache_folder=tmp_path / "cache").out_dir
    assert "<p>more</p>" in edited
    assert (clean / "client/posts/one/index.html").read_text() == edited
    data = "site_templates/collection_blog.pickle"
    assert (clean / data).read_bytes() == (root / "dist" / data).read_bytes()


def test_many_entries_are_read_in_several_processes(site: Write) -> None:
    text = FILES["src/content/blog/one.md"]
    many = {f"src/content/blog/many/{number:03}.md": text for number in range(120)}
    assert len(json.loads(client(site(many), "posts.json"))) == 123
