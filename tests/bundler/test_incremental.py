"""A rebuild renders only what changed, and gives what a clean build gives."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from routelet_bundler import RouteletError, build

PYPROJECT = '[project]\nname = "site"\nversion = "1"\n[tool.routelet]\n'
SITE: Mapping[str, str] = {
    "pyproject.toml": PYPROJECT,
    "facts.json": '["one"]',
    "notes/a.txt": "a",
    "public/style.css": "a {}",
    "public/shared/index.html": "public",
    "src/layouts/base.jinja": "<p>{% include 'parts/foot.jinja' %}{% block x %}{% endblock %}",
    "src/layouts/post.jinja": (
        "{% extends 'layouts/base.jinja' %}{% block x %}{{ content | loud }}{% endblock %}"
    ),
    "src/parts/foot.jinja": "foot",
    "src/filters.py": "def loud(text):\n    return text + '!'\n",
    "src/lib/facts.py": (
        "import json\nfrom functools import cache\nfrom pathlib import Path\n\n\n"
        "@cache\ndef facts():\n    with open('facts.json') as file:\n"
        "        return json.load(file)\n\n\n"
        "def notes():\n"
        "    return sorted(path.read_text() for path in Path('notes').glob('*.txt'))\n"
    ),
    "src/lib/deep.py": "from lib.facts import facts\n\n\ndef first():\n    return facts()[0]\n",
    "src/pages/index.md": "---\nlayout: layouts/post.jinja\n---\n# Home\n",
    "src/pages/about.md": "# About\n",
    "src/pages/first.py": "from lib.deep import first\n\n\ndef GET(ctx):\n    return first()\n",
    "src/pages/notes.py": "from lib.facts import notes\n\n\ndef GET(ctx):\n    return notes()\n",
    "src/pages/t.jinja": "{% extends 'layouts/base.jinja' %}{% block x %}t{% endblock %}",
    "src/pages/[slug].py": (
        "from lib.facts import facts\n\n\ndef get_static_paths():\n"
        "    return [{'params': {'slug': one}, 'props': {'one': one}} for one in facts()]\n\n\n"
        "def GET(ctx):\n    return ctx.props['one']\n"
    ),
}
MIDDLEWARE = "def on_request(ctx, next):\n    return next()\n"
EDITS: Mapping[str, Callable[[str, int], str]] = {
    "pyproject.toml": lambda _, n: f'{PYPROJECT}site = "https://{n}.example.com"\n',
    "facts.json": lambda _, n: json.dumps([f"fact{n}", "two"]),
    "src/middleware.py": lambda _, n: f"{MIDDLEWARE}# {n}\n",
    "src/filters.py": lambda _, n: f"def loud(text):\n    return text + '{n}'\n",
    "src/layouts/post.jinja": lambda text, n: text.replace("{{ content", f"{n}{{{{ content"),
    "src/lib/deep.py": lambda text, n: f"{text}# {n}\n",
    "src/pages/about.jinja": lambda _, n: f"about {n}",
    "public/about/index.html": lambda _, n: f"public about {n}",
}
ADDED = (
    *("notes/b.txt", "src/pages/new.md", "src/pages/blog/deep.md", "public/blog/picture.txt"),
    *("public/about/index.html", "src/middleware.py", "src/pages/_draft.md"),
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return written(tmp_path / "site")


def edited(name: str, text: str, number: int) -> str:
    """Return what an edit makes of a file; where nothing is said, it adds a number at the end."""
    if name in EDITS:
        return EDITS[name](text, number)
    return f"{text}\n{'#' if name.endswith('.py') else ''} {number}"


def written(root: Path) -> Path:
    for name, text in SITE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def tree(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def inodes(root: Path) -> dict[str, int]:
    client = root / "dist/client"
    return {name: (client / name).stat().st_ino for name in tree(client)}


def changed_files(root: Path) -> set[str]:
    """Build again and return the files that were written anew."""
    before = inodes(root)
    build(root)
    after = inodes(root)
    return {name for name in after if after[name] != before.get(name)}


def test_nothing_is_written_again_where_nothing_changed(site: Path) -> None:
    build(site)
    assert changed_files(site) == set()
    assert not list(site.glob(".dist*"))


@pytest.mark.parametrize(
    ("file", "pages"),
    [
        ("src/pages/about.md", {"about/index.html"}),
        ("src/layouts/post.jinja", {"index.html"}),
        ("src/filters.py", {"index.html", "t/index.html"}),
        ("src/parts/foot.jinja", {"index.html", "t/index.html"}),
        ("src/lib/deep.py", {"first/index.html"}),
        ("facts.json", {"first/index.html", "two/index.html", "fact7/index.html", "notes"}),
        ("notes/a.txt", {"first/index.html", "one/index.html", "notes"}),
        ("public/style.css", {"style.css"}),
    ],
)
def test_only_what_reaches_an_edited_file_is_rendered(
    site: Path, file: str, pages: set[str]
) -> None:
    build(site)
    build(site)  # the first build could not know what changed while it ran
    text = (site / file).read_text()
    (site / file).write_text(edited(file, text, 7))
    assert changed_files(site) == pages


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndef GET(ctx):\n    return str(datetime.now())\n",
        "from datetime import datetime\nAT = datetime.now\ndef GET(ctx):\n    return str(AT())\n",
        "import random\ndef GET(ctx):\n    return str(random.random())\n",
        "from importlib import import_module as i\nGET = lambda ctx: str(i(ctx.url.path[1:]))\n",
        "import subprocess\ndef GET(ctx):\n    return subprocess.check_output(['ls'], text=True)\n",
    ],
)
def test_a_page_that_files_do_not_decide_is_rendered_each_time(site: Path, source: str) -> None:
    (site / "src/pages/html.py").write_text(source)
    build(site)
    assert changed_files(site) == {"html/index.html"}


UNSEEN: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "a page that another answers with": (
        {"src/pages/a.py": "def GET(ctx):\n    return ctx.rewrite('/about')\n"},
        "src/pages/about.md",
        "# Edited",
    ),
    "a page that the middleware answers with": (
        {"src/middleware.py": "def on_request(ctx, next):\n    return next('/about')\n"},
        "src/pages/about.md",
        "# Edited",
    ),
    "a template whose name is a value": (
        {"src/pages/a.py": "T = 'parts/foot.jinja'\ndef GET(ctx):\n    return ctx.render(T)\n"},
        "src/parts/foot.jinja",
        "edited",
    ),
    "an entry of a collection by another name": (
        {
            "src/content/c/a.md": "a",
            "src/pages/a.py": (
                "import routelet.content as k\ndef GET(ctx):\n"
                "    return k.collection(name='c')[0].html\n"
            ),
        },
        "src/content/c/a.md",
        "edited",
    ),
    "a collection that is handed on": (
        {
            "src/content/c/a.md": "a",
            "src/pages/a.py": (
                "from routelet.content import collection\ndef GET(ctx):\n"
                "    return [one[0].html for one in map(collection, ['c'])]\n"
            ),
        },
        "src/content/c/a.md",
        "edited",
    ),
    "a file that is asked for": (
        {"src/pages/a.py": "import os\ndef GET(ctx):\n    return str(os.path.isfile('x'))\n"},
        "x",
        "",
    ),
    "a file that a pattern would find": (
        {
            "data/one/other.json": "",
            "src/pages/a.py": (
                "from pathlib import Path\ndef GET(ctx):\n"
                "    return [str(one) for one in Path('data').glob('*/meta.json')]\n"
            ),
        },
        "data/one/meta.json",
        "{}",
    ),
    "the folder that it runs in": (
        {
            "src/pages/a.py": (
                "import os\ndef GET(ctx):\n"
                "    return [one for one in os.listdir() if one.endswith('.txt')]\n"
            ),
        },
        "new.txt",
        "",
    ),
    "what a fork of it read": (
        {
            "data.txt": "one",
            "src/pages/a.py": (
                "import os\ndef GET(ctx):\n    r, w = os.pipe()\n    if os.fork() == 0:\n"
                "        os.write(w, open('data.txt', 'rb').read())\n        os._exit(0)\n"
                "    os.close(w)\n    os.wait()\n    return os.read(r, 99).decode()\n"
            ),
        },
        "data.txt",
        "edited",
    ),
    "a module from elsewhere": (
        {
            "data/navigation.py": "NAME = 'one'\n",
            "src/pages/a.py": (
                "import sys\nsys.path.insert(0, 'data')\nimport navigation\n"
                "def GET(ctx):\n    return navigation.NAME\n"
            ),
        },
        "data/navigation.py",
        "NAME = 'edited'\n",
    ),
}


@pytest.mark.parametrize("kind", UNSEEN)
def test_what_no_open_tells_of_is_seen_all_the_same(site: Path, kind: str, tmp_path: Path) -> None:
    files, edited, text = UNSEEN[kind]
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(content)
    build(site)
    before = tree(site / "dist/client")
    (site / edited).write_text(text)
    build(site)
    clean = build(site, tmp_path / "clean").out_dir
    assert tree(site / "dist") == tree(clean)
    assert before != tree(clean / "client")


def test_a_file_that_somebody_changed_in_dist_is_made_again(site: Path) -> None:
    build(site)
    clean = tree(site / "dist/client")
    (site / "dist/client/about/index.html").write_text("edited")
    (site / "dist/client/stray.html").write_text("stray")
    build(site)
    assert tree(site / "dist/client") == clean


def test_a_build_that_fails_leaves_what_an_earlier_one_made(site: Path) -> None:
    build(site)
    before = tree(site / "dist")
    (site / "src/pages/about.md").write_text("# Other")
    (site / "src/pages/first.py").write_text("def GET(ctx):\n    raise ValueError\n")
    with pytest.raises(Exception, match="ValueError"):
        build(site)
    assert tree(site / "dist") == before
    (site / "src/pages/first.py").write_text(SITE["src/pages/first.py"])
    assert changed_files(site) >= {"about/index.html"}


@pytest.mark.parametrize(
    ("file", "where"),
    [
        ("src/pages/about.py", "src/pages/about/more.md"),
        ("public/about", "public/about"),
        ("public/about/more/index.html/x", "public/about/more/index.html/x"),
    ],
)
def test_a_file_where_an_unchanged_page_needs_a_folder_is_refused(
    site: Path, file: str, where: str
) -> None:
    (site / "src/pages/about").mkdir()
    (site / "src/pages/about.md").rename(site / "src/pages/about/more.md")
    build(site)
    before = tree(site / "dist")
    (site / file).parent.mkdir(parents=True, exist_ok=True)
    (site / file).write_text("def GET(ctx):\n    return {}\n")
    with pytest.raises(RouteletError, match="cannot be") as raised:
        build(site)
    assert raised.value.where.endswith(where)
    assert tree(site / "dist") == before


def test_names_that_are_no_text_are_no_hindrance(site: Path) -> None:
    (site / "public" / os.fsdecode(b"\xff.txt")).write_text("x")
    build(site)
    build(site)
    assert (site / "dist/client" / os.fsdecode(b"\xff.txt")).read_text() == "x"


def test_what_an_integration_left_goes_with_it(site: Path) -> None:
    source = "from routelet_bundler.adapter import Integration\n\n\nclass Extra(Integration):\n"
    hook = "    def build_done(self, payload):\n"
    hook += "        (payload.out_dir / 'client/extra.txt').write_text('x')\n"
    (site / "extra.py").write_text(source + hook)
    (site / "pyproject.toml").write_text(f'{PYPROJECT}integrations = ["extra:Extra"]\n')
    build(site)
    assert "extra.txt" in tree(site / "dist/client")
    sys.modules.pop("extra", None)
    (site / "extra.py").write_text(f"{source}    pass\n")
    build(site)
    sys.modules.pop("extra", None)
    assert "extra.txt" not in tree(site / "dist/client")


@pytest.mark.parametrize("gone", ["dist", "dist/client"])
def test_a_site_is_built_where_its_dist_is_gone(site: Path, gone: str) -> None:
    shutil.rmtree(site / "public")
    shutil.rmtree(site / "src/pages")
    (site / "src/pages").mkdir()
    build(site)
    shutil.rmtree(site / gone)
    build(site)
    assert (site / "dist/routelet.json").is_file()


def test_an_integration_that_looks_at_the_client_sees_all_of_it(site: Path) -> None:
    (site / "counting.py").write_text(
        "from routelet_bundler.adapter import Integration\n\n\n"
        "class Counting(Integration):\n"
        "    def build_done(self, payload):\n"
        "        names = sorted(one.name for one in (payload.out_dir / 'client').iterdir())\n"
        "        (payload.out_dir / 'client/names.txt').write_text(' '.join(names))\n"
    )
    (site / "pyproject.toml").write_text(f'{PYPROJECT}integrations = ["counting:Counting"]\n')
    build(site)
    names = (site / "dist/client/names.txt").read_text()
    build(site)
    assert (site / "dist/client/names.txt").read_text() == names
    assert "about" in names.split()


class RandomEdits(RuleBasedStateMachine):
    """Files of a site change at random; each build is compared with a clean one."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="routelet-edits-"))
        self.root = written(self.folder / "site")
        self.is_built = False

    @rule(name=st.sampled_from(sorted({*SITE, *ADDED})), number=st.integers(0, 9))
    def edit(self, name: str, number: int) -> None:
        file = self.root / name
        text = file.read_text() if file.exists() else ""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(edited(name, text, number))
        self.is_built = False

    @rule(name=st.sampled_from([*ADDED, "public/style.css", "src/pages/t.jinja", "notes/a.txt"]))
    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        self.is_built = False

    @rule(name=st.sampled_from(["about/index.html", "style.css", "one/index.html", "stray"]))
    def meddle_with_dist(self, name: str) -> None:
        if (self.root / "dist/client").is_dir():
            file = self.root / "dist/client" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text("meddled")
            self.is_built = False

    @invariant()
    def a_build_gives_what_a_clean_one_gives(self) -> None:
        if not self.is_built:
            build(self.root)
            clean = build(self.root, self.folder / "clean").out_dir
            assert tree(self.root / "dist") == tree(clean)
            shutil.rmtree(clean)
            self.is_built = True

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


RandomEdits.TestCase.settings = settings(
    max_examples=4, stateful_step_count=8, deadline=None, derandomize=False
)
TestRandomEdits = RandomEdits.TestCase
