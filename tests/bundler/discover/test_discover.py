import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routelet_bundler.config import read_config
from routelet_bundler.discover import discover
from routelet_bundler.discover.tree import files_below
from routelet_bundler.errors import FAILED, WRONG_USE, RouteletError
from routelet_bundler.model import Config, Site

Write = Callable[..., Path]


def config(**keys: object) -> Config:
    return Config.model_validate({key.replace("_", "-"): value for key, value in keys.items()})


SERVER = config(output="server")
HYBRID = config(output="hybrid")


def routes_of(site: Site) -> list[str]:
    return [route.route for route in site.routes]


def mistakes_of(root: Path, config: Config = SERVER) -> list[RouteletError]:
    with pytest.raises(RouteletError) as told:
        discover(root, config)
    return list(flat(told.value))


def flat(error: RouteletError) -> Iterable[RouteletError]:
    yield error
    for other in error.others:
        yield from flat(other)


def test_every_kind_of_page_is_a_route_in_matching_order(write_site: Write) -> None:
    files = ["index.md", "about.html", "blog/[slug].jinja", "data.json.py", "blog/index.py"]
    site = discover(write_site({f"src/pages/{file}": "" for file in files}), SERVER)
    assert routes_of(site) == ["/about", "/blog/[slug]", "/blog", "/data.json", "/"]
    assert [page.kind for page in site.pages] == ["html", "jinja", "py", "py", "md"]
    assert site.routes[0].component == "src/pages/about.html"
    page = site.pages[1]
    assert (page.module, page.archive) == ("pages.blog._slug_", "pages/blog/_slug_.py")
    assert page.entry == "pages/blog/entry__slug_.py"
    assert site.page_of(page.route) is page
    assert (site.warnings, site.collisions) == ((), ())


def test_private_files_and_folders_are_no_routes(write_site: Write) -> None:
    files = ["_part.py", "_lib/a.py", ".hidden.py", ".git/a.py", "a/_b/c.py", "a/.d/e.md"]
    served = ["a/b_.py", ".well-known/security.txt.py"]
    root = write_site({f"src/pages/{file}": "" for file in [*files, *served]})
    site = discover(root, SERVER)
    assert sorted(routes_of(site)) == ["/.well-known/security.txt", "/a/b_"]
    assert site.warnings == ()


def test_private_modules_are_files_of_the_site_under_their_own_name(write_site: Write) -> None:
    files = ["_form.py", "_form.jinja", "[id]/_data.json", "[id]/index.py", "__pycache__/a.pyc"]
    site = discover(write_site({f"src/pages/{file}": "" for file in files}), SERVER)
    assert sorted(site.files) == [
        "pages/_form.jinja",
        "pages/_form.py",
        "pages/_id_/_data.json",
        "pages/_id_/index.py",
    ]


def test_what_is_no_page_is_told_once(write_site: Write) -> None:
    root = write_site({"src/pages/a.py": "", "src/pages/b.txt": "", "src/pages/c/d.js": ""})
    site = discover(root, SERVER)
    assert [warning.split(":")[0] for warning in site.warnings] == [
        "src/pages/b.txt",
        "src/pages/c/d.js",
    ]
    assert "begin its name with _" in site.warnings[0]


@pytest.mark.parametrize("files", [{}, {"src/lib/a.py": ""}, {"src/pages/_a.py": ""}])
def test_a_site_without_pages_is_told(write_site: Write, files: dict[str, str]) -> None:
    site = discover(write_site(files), SERVER)
    assert site.warnings == ("src/pages: there are no pages",)


def test_folders_are_as_configured(write_site: Write) -> None:
    root = write_site({"web/src/pages/a.py": "", "web/src/lib/b.py": "", "src/pages/c.py": ""})
    site = discover(root, config(src_dir="web/src/", output="server"))
    assert routes_of(site) == ["/a"]
    assert site.pages[0].route.component == "web/src/pages/a.py"
    assert sorted(site.files) == ["lib/b.py", "pages/a.py"]


@pytest.mark.parametrize(
    ("output", "source", "prerender"),
    [
        ("static", "", True),
        ("static", "prerender = True\n", True),
        ("hybrid", "", True),
        ("hybrid", "prerender = False\n", False),
        ("hybrid", "prerender: bool = False\n", False),
        ("hybrid", "prerender = True\nprerender = False\n", False),
        ("server", "", False),
        ("server", "prerender = True\n", True),
        ("server", "def f():\n    prerender = True\n", False),
    ],
)
def test_a_page_is_prerendered_by_the_output_unless_it_says_otherwise(
    write_site: Write, output: str, source: str, prerender: bool
) -> None:
    site = discover(write_site({"src/pages/a.py": source}), config(output=output))
    assert (site.pages[0].prerender, site.routes[0].prerender) == (prerender, prerender)


@pytest.mark.parametrize("file", ["a.md", "a.jinja"])
def test_front_matter_says_whether_a_page_is_prerendered(write_site: Write, file: str) -> None:
    root = write_site({f"src/pages/{file}": "---\nprerender: false\n---\n"})
    assert not discover(root, HYBRID).pages[0].prerender


def test_a_page_on_demand_is_an_error_where_all_is_static(write_site: Write) -> None:
    files = {
        "src/pages/a.py": "'''Page.'''\n\nprerender = False\n",
        "src/pages/b.md": "---\ntitle: b\nprerender: false\n---\n",
    }
    found = mistakes_of(write_site(files), config(output="static"))
    assert [mistake.where for mistake in found] == ["src/pages/a.py:3", "src/pages/b.md:3"]
    assert "hybrid" in found[0].mend


@pytest.mark.parametrize(
    "source",
    [
        "\nprerender = not DEBUG\n",
        "\nprerender = 1\n",
        "\nprerender = None\n",
        "\nfrom lib.settings import prerender\n",
        "\ndef prerender(): ...\n",
    ],
)
def test_prerender_has_to_be_written_out(write_site: Write, source: str) -> None:
    [mistake] = mistakes_of(write_site({"src/pages/a.py": source}))
    assert mistake.where == "src/pages/a.py:2"
    assert mistake.mend == "write prerender = True or prerender = False"


def test_config_is_read_without_importing_the_page(write_site: Write) -> None:
    source = 'config = {"memory": 256, "ephemeral_storage": 512}\nraise SystemExit\n'
    page = discover(write_site({"src/pages/a.py": source}), SERVER).pages[0]
    assert (page.config.memory, page.config.ephemeral_storage) == (256, 512)


def test_config_may_stand_in_front_matter(write_site: Write) -> None:
    source = "---\nconfig:\n  timeout: 20\n  snap-start: true\n---\n"
    page = discover(write_site({"src/pages/a.md": source}), SERVER).pages[0]
    assert (page.config.timeout, page.config.snap_start) == (20, True)


@pytest.mark.parametrize(
    ("file", "source", "line", "what", "mend"),
    [
        ("a.py", "\nconfig = {'memory': N}\n", 2, "no literal", "write it out"),
        ("a.py", "\nconfig = load()\n", 2, "no literal", "write it out"),
        ("a.py", "\nconfig = {[]: 1}\n", 2, "no literal", "write it out"),
        ("a.py", "\nconfig = []\n", 2, "no table", ""),
        ("a.py", "config = {'memry': 256}\n", 1, '"memry"', 'did you mean "memory"?'),
        ("a.py", "config = {'memory': 'big'}\n", 1, "valid integer", ""),
        ("a.md", "---\na: 1\nconfig: {memry: 256}\n---\n", 3, '"memry"', "did you mean"),
        ("a.md", "---\nconfig: big\n---\n", 2, "no table", ""),
        ("a.jinja", "---\n\nprerender: maybe\n---\n", 3, "'maybe'", "true or false"),
        ("a.jinja", "---\na: [\n---\n", 3, "faulty front matter", ""),
        ("a.md", "---\na: 1\n", 1, "not closed", "---"),
        ("a.py", "\ndef f(:\n", 2, "def f(:", "correct the syntax"),
    ],
)
def test_a_faulty_page_is_told_with_its_line(  # noqa: PLR0917 - the columns of its table
    write_site: Write, file: str, source: str, line: int, what: str, mend: str
) -> None:
    [mistake] = mistakes_of(write_site({f"src/pages/{file}": source}))
    assert mistake.where == f"src/pages/{file}:{line}"
    assert what in mistake.what
    assert mend in mistake.mend
    assert mistake.status == FAILED


def test_all_faulty_pages_are_told_at_once(write_site: Write) -> None:
    files = {
        "src/pages/a.py": "x = (\n",
        "src/pages/b.py": "config = {'memry': 1, 'timeout': 0}\n",
        "src/pages/c.md": b"\xff",
        "src/pages/[a][b].py": "",
    }
    places = [mistake.where for mistake in mistakes_of(write_site(files))]
    assert sorted(places) == [
        "src/pages/[a][b].py",
        "src/pages/a.py:1",
        "src/pages/b.py:1",
        "src/pages/b.py:1",
        "src/pages/c.md",
    ]


def test_tables_of_globs_are_merged_and_the_pages_own_values_win(write_site: Write) -> None:
    root = write_site({"src/pages/api/users.py": "config = {'memory': 1024}\n"})
    globs = {
        "/**": {"memory": 128, "timeout": 5, "group": "all", "environment": {"A": "1", "B": "1"}},
        "/api/*": {"timeout": 10, "environment": {"B": "2"}},
        "/api/users": {"memory": 256},
        "/other": {"timeout": 900},
    }
    page = discover(root, config(output="server", routes=globs)).pages[0]
    assert (page.config.memory, page.config.timeout, page.config.group) == (1024, 10, "all")
    assert page.config.environment == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    "files",
    [
        ["a.py", "a.md"],
        ["a.py", "a/index.py"],
        ["[x].py", "[y].py"],
        ["[x]/b.jinja", "[y]/b.md"],
        ["caf\u00e9.py", "cafe\u0301.py"],
    ],
)
def test_two_pages_for_one_url_collide(write_site: Write, files: list[str]) -> None:
    site = discover(write_site({f"src/pages/{file}": "" for file in files}), SERVER)
    [collision] = site.collisions
    both = {collision.where, *(c for c in collision.what.split() if c.startswith("src/"))}
    assert {place.rstrip(":") for place in both} == {f"src/pages/{file}" for file in files}


@pytest.mark.parametrize("files", [["a.py", "b.py"], ["[x].py", "[x=int].py"], ["a.py", "A.py"]])
def test_pages_for_different_urls_do_not(write_site: Write, files: list[str]) -> None:
    assert discover(write_site({f"src/pages/{f}": "" for f in files}), SERVER).collisions == ()


def test_prerendered_dynamic_pages_may_list_different_paths(write_site: Write) -> None:
    root = write_site({"src/pages/[a].py": "", "src/pages/[b].py": ""})
    assert discover(root, config(output="static")).collisions == ()


@pytest.mark.parametrize("name", ["[a][b].py", "[a.py", "[a b].py", "a\nb.py", "a\x1b.py"])
def test_a_name_that_no_url_can_have_is_told(write_site: Write, name: str) -> None:
    [mistake] = mistakes_of(write_site({f"src/pages/{name}": "", "src/pages/fine.py": ""}))
    assert mistake.where.startswith("src/pages/")
    assert mistake.where.isprintable()
    assert mistake.mend == "rename the file"


def test_a_name_of_bytes_that_are_no_text_is_told(write_site: Write) -> None:
    root = write_site({"src/pages/a.py": ""})
    for number, name in enumerate([b"b\xff.py", b"b\xfe.py", b"c\xff.txt"]):
        (root / "src/pages" / os.fsdecode(name)).write_text(f"x = {number}")
    found = mistakes_of(root)
    assert [mistake.where for mistake in found] == [
        r"src/pages/b\udcfe.py",
        r"src/pages/b\udcff.py",
    ]
    (root / "src/pages/b\udcff.py").unlink()
    (root / "src/pages/b\udcfe.py").unlink()
    [warning] = discover(root, SERVER).warnings
    assert warning.startswith(r"src/pages/c\udcff.txt:")


def test_a_link_out_of_the_site_is_told(write_site: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key.py").write_text("")
    root = write_site({"src/pages/a.py": ""})
    (root / "src/pages/b.py").symlink_to(tmp_path / "secret/key.py")
    (root / "src/lib").symlink_to("../../secret")
    found = mistakes_of(root)
    assert [mistake.where for mistake in found] == ["src/lib", "src/pages/b.py"]
    assert found[0].what == "is a link to ../../secret, outside of the site"


def test_a_link_inside_the_site_is_followed(write_site: Write) -> None:
    root = write_site({"shared/c.py": "", "src/pages/a.py": "", "src/lib/b.py": ""})
    (root / "src/pages/b.py").symlink_to(root / "src/lib/b.py")
    (root / "src/pages/shared").symlink_to("../../shared")
    site = discover(root, SERVER)
    assert routes_of(site) == ["/a", "/b", "/shared/c"]
    assert site.pages[2].source == root / "src/pages/shared/c.py"


def test_a_site_below_a_link_is_a_site(write_site: Write, tmp_path: Path) -> None:
    root = write_site({"src/pages/a.py": "", "src/lib/b.py": ""})
    (root / "src/pages/b.py").symlink_to("../lib/b.py")
    (tmp_path / "link").symlink_to(root)
    assert routes_of(discover(tmp_path / "link", SERVER)) == ["/a", "/b"]


@pytest.mark.parametrize("target", ["..", ".", "../../src", "../.."])
def test_a_link_to_a_folder_it_is_in_is_told(write_site: Write, target: str) -> None:
    root = write_site({"src/pages/a.py": ""})
    (root / "src/pages/loop").symlink_to(target)
    [mistake] = mistakes_of(root)
    assert mistake.where == "src/pages/loop"
    assert "in itself" in mistake.what


def test_folders_that_link_to_each_other_are_told(write_site: Write) -> None:
    root = write_site({"src/one/a.py": "", "src/two/b.py": ""})
    (root / "src/one/two").symlink_to("../two")
    (root / "src/two/one").symlink_to("../one")
    assert [mistake.where for mistake in mistakes_of(root)] == [
        "src/one/two/one",
        "src/two/one/two",
    ]


@pytest.mark.parametrize("target", ["gone.py", "b.py"])
def test_a_link_that_leads_nowhere_is_told(write_site: Write, target: str) -> None:
    root = write_site({"src/pages/a.py": ""})
    (root / "src/pages/b.py").symlink_to(target)
    [mistake] = mistakes_of(root)
    assert mistake.where == "src/pages/b.py"
    assert mistake.what == f"is a link to {target}, which is not there"


def test_a_lock_of_an_editor_is_no_mistake(write_site: Write) -> None:
    root = write_site({"src/pages/a.py": ""})
    (root / "src/pages/.#a.py").symlink_to("someone@host.1234:5678")
    assert routes_of(discover(root, SERVER)) == ["/a"]


def test_public_files_are_held_to_the_same_links(write_site: Write, tmp_path: Path) -> None:
    root = write_site({"public/a.css": ""})
    files_below(root / "public", root)
    files_below(root / "absent", root)
    (root / "public/b.css").symlink_to(tmp_path)
    with pytest.raises(RouteletError, match="outside of the site"):
        files_below(root / "public", root)


@pytest.mark.parametrize(
    ("file", "modules"),
    [
        ("middleware.py", ("middleware",)),
        ("middleware/__init__.py", ("middleware",)),
        ("middleware/other.py", ()),
        ("pages/middleware.py", ()),
        ("middleware.jinja", ()),
    ],
)
def test_the_middleware_is_found(write_site: Write, file: str, modules: tuple[str, ...]) -> None:
    assert discover(write_site({f"src/{file}": ""}), SERVER).middleware == modules


def test_redirects_come_after_all_pages(write_site: Write) -> None:
    redirects = {"/old/[id]": "/a", "/gone": {"destination": "/", "status": 308}, "/a": "/b"}
    root = write_site({"src/pages/[...rest].py": "", "src/pages/a.py": ""})
    site = discover(root, config(output="server", redirects=redirects))
    assert routes_of(site) == ["/a", "/[...rest]", "/a", "/gone", "/old/[id]"]
    assert [route.redirect for route in site.routes[2:]] == [
        ("/b", None),
        ("/", 308),
        ("/a", None),
    ]
    assert site.page_of(site.routes[2]) is None


def test_a_faulty_redirect_is_told_with_faulty_pages(write_site: Write) -> None:
    root = write_site({"src/pages/[a.py": ""})
    found = mistakes_of(root, config(output="server", redirects={"/old/[id": "/", "/[a][b]": "/"}))
    table = "pyproject.toml [tool.routelet.redirects]"
    assert [mistake.where for mistake in found] == ["src/pages/[a.py", table, table]
    assert [mistake.what.split(":")[0] for mistake in found[1:]] == ['"/old/[id"', '"/[a][b]"']
    assert [mistake.status for mistake in found] == [FAILED, WRONG_USE, WRONG_USE]


@pytest.mark.parametrize("destination", ["/new/[slug]", "https://a.example/[...slug]?q=1"])
def test_a_destination_names_parameters_of_its_source_only(
    write_site: Write, destination: str
) -> None:
    text = f"[tool.routelet.redirects]\n'/ok/[...slug]' = '{destination}'\n"
    text += f"'/old/[id]' = '{destination}'\n"
    root = write_site({"src/pages/a.py": ""}, pyproject=text)
    [mistake] = mistakes_of(root, read_config(root)[0])
    assert mistake.where == "pyproject.toml:3"
    assert mistake.what == (
        '"/old/[id]": the destination needs the parameter "slug", which the source has not'
    )


def test_error_pages_are_those_at_the_top(write_site: Write) -> None:
    root = write_site({"src/pages/404.md": "", "src/pages/sub/500.py": ""})
    site = discover(root, SERVER)
    not_found = site.error_page(404)
    assert not_found is not None
    assert not_found.file == "404.md"
    assert site.error_page(500) is None


names = st.text(
    st.one_of(st.sampled_from("[]._= "), st.characters(codec="utf-8", exclude_characters="/\0")),
    min_size=1,
    max_size=10,
).filter(lambda name: len(name.encode()) < 200)


@given(st.lists(names, max_size=4, unique=True), st.sampled_from([".py", ".md", ".jinja", ".x"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_names_are_routes_or_told(
    tmp_path_factory: pytest.TempPathFactory, stems: list[str], extension: str
) -> None:
    root = tmp_path_factory.mktemp("site")
    (root / "src/pages").mkdir(parents=True)
    for stem in stems:
        (root / "src/pages" / f"{stem}{extension}").write_text("")
    try:
        told = [page.entry for page in discover(root, SERVER).pages]
    except RouteletError as error:
        told = [mistake.where for mistake in flat(error)]
    assert len(set(told)) == len(told) <= len(stems)


@pytest.mark.parametrize("page", ["a.md", "a.jinja"])
def test_a_draft_is_no_page(write_site: Write, page: str) -> None:
    root = write_site({f"src/pages/{page}": "---\ndraft: true\n---\n", "src/pages/b.py": ""})
    assert routes_of(discover(root, SERVER)) == ["/b"]
    root = write_site({f"src/pages/{page}": "---\ndraft: false\n---\n"})
    assert routes_of(discover(root, SERVER)) == ["/a", "/b"]


def test_a_draft_is_true_or_false(write_site: Write) -> None:
    root = write_site({"src/pages/a.md": "---\ntitle: x\ndraft: maybe\n---\n"})
    [mistake] = mistakes_of(root)
    assert (mistake.where, mistake.what) == ("src/pages/a.md:3", "draft is 'maybe'")


def test_what_is_no_file_is_told_and_what_an_editor_left_is_not(write_site: Write) -> None:
    root = write_site({"src/pages/a.py": ""})
    os.mkfifo(root / "src/pages/pipe.py")
    os.mkfifo(root / "src/.pipe")
    [told] = mistakes_of(root)
    assert (told.where, told.what) == (
        "src/pages/pipe.py",
        "is a pipe, a socket or a device, not a file",
    )
    assert told.mend
    (root / "src/pages/pipe.py").unlink()
    assert routes_of(discover(root, SERVER)) == ["/a"]
