"""Prerendered routes: which files they give, and how a page that cannot be one is told."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from routelet_bundler import Build, RouteletError, build

SITE = '[project]\nname = "site"\nversion = "1"\n'
TELL = "def GET(ctx):\n    return f'{ctx.url.path} {ctx.params} {ctx.props}'\n"
DATA = "def GET(ctx):\n    return {'x': 1}\n"

BuildOf = Callable[..., Build]


@pytest.fixture
def built(write_site: Callable[..., Path]) -> BuildOf:
    """Return a function that builds a static site of these pages."""

    def made(pages: Mapping[str, str], config: str = "", **files: str) -> Build:
        written = {f"src/pages/{name}": text for name, text in pages.items()}
        others = {f"src/{name}.py": text for name, text in files.items()}
        return build(write_site({**written, **others}, pyproject=SITE + config))

    return made


def files_of(result: Build) -> dict[str, str]:
    client = result.out_dir / "client"
    return {
        path.relative_to(client).as_posix(): path.read_text()
        for path in client.rglob("*")
        if path.is_file()
    }


def refused(built: BuildOf, *arguments: object, **files: str) -> RouteletError:
    with pytest.raises(RouteletError) as raised:
        built(*arguments, **files)
    return raised.value


def listing(returned: str, body: str = TELL) -> str:
    return f"def get_static_paths():\n    return {returned}\n{body}"


FORMATS = {
    "directory": {"index.html", "about/index.html", "blog/index.html", "blog/404/index.html"},
    "file": {"index.html", "about.html", "blog.html", "blog/404.html"},
    "preserve": {"index.html", "about.html", "blog/index.html", "blog/404.html"},
}


@pytest.mark.parametrize("base", ["", 'base = "/docs"\n'])
@pytest.mark.parametrize("name", FORMATS)
def test_the_file_of_a_page_is_that_of_the_format(built: BuildOf, name: str, base: str) -> None:
    pages = {"index.md": "# Home", "about.md": "# About", "blog/index.html": "", "blog/404.md": ""}
    result = built(pages, f'[tool.routelet]\n{base}build.format = "{name}"\n')
    assert files_of(result).keys() == FORMATS[name]
    assert {(one.path, one.route) for one in result.prerendered} >= {("index.html", "/")}
    assert {one.path for one in result.prerendered} == FORMATS[name]


@pytest.mark.parametrize("name", FORMATS)
def test_endpoints_and_error_pages_have_one_file_name_in_every_format(
    built: BuildOf, name: str
) -> None:
    gone = "from routelet import Response\ndef GET(ctx):\n    return Response.html('no', 404)\n"
    pages = {"404.py": gone, "500.md": "", "data.json.py": DATA, "feed.py": DATA, "x.html.py": TELL}
    result = built(pages, f'[tool.routelet]\nbuild.format = "{name}"\n')
    assert files_of(result).keys() == {"404.html", "500.html", "data.json", "feed", "x.html"}
    assert files_of(result)["404.html"] == "no"


def test_a_page_with_a_dot_in_its_url_is_a_page(built: BuildOf) -> None:
    pages = {"v1.2.md": "", "x.json.md": "", "docs/[v].py": listing("[{'params': {'v': '1.3'}}]")}
    files = {"v1.2/index.html", "x.json/index.html", "docs/1.3/index.html"}
    assert files_of(built(pages)).keys() == files


def test_get_static_paths_gives_a_file_for_each_item_with_its_params_and_props(
    built: BuildOf,
) -> None:
    items = "[{'params': {'id': 'a b'}, 'props': {'n': 1}}, {'params': {'id': 2}, 'props': None}]"
    assert files_of(built({"[id].py": listing(items)})) == {
        "a b/index.html": "/a b {'id': 'a b'} {'n': 1}",
        "2/index.html": "/2 {'id': '2'} {}",
    }


def test_an_absent_rest_parameter_is_the_folder_itself(built: BuildOf) -> None:
    items = "({'params': {'p': None}}, {'params': {'p': 'a/b'}})"
    assert files_of(built({"docs/[...p].py": listing(items)})) == {
        "docs/index.html": "/docs {'p': None} {}",
        "docs/a/b/index.html": "/docs/a/b {'p': 'a/b'} {}",
    }


def test_a_rest_parameter_may_be_left_out_and_beside_another(built: BuildOf) -> None:
    items = "[{'params': {'lang': 'sv'}}, {'params': {'lang': 'en', 'p': 'caf\u00e9'}}]"
    files = files_of(built({"[lang]/[...p].py": listing(items)}))
    assert files.keys() == {"sv/index.html", "en/caf\u00e9/index.html"}


def test_get_static_paths_may_be_async_and_handlers_take_params_by_name(built: BuildOf) -> None:
    page = "async " + listing(
        "[{'params': {'id': 7}}]", "async def GET(ctx, id: int):\n    return str(id + 1)\n"
    )
    assert files_of(built({"[id].py": page})) == {"7/index.html": "8"}


@pytest.mark.parametrize("slash", ["always", "never", "ignore"])
def test_pages_are_rendered_at_the_urls_that_the_site_has(built: BuildOf, slash: str) -> None:
    pages = {"a.py": TELL, "[id]/b.py": listing("[{'params': {'id': 1}}]"), "index.py": TELL}
    result = built(pages, f'[tool.routelet]\ntrailing-slash = "{slash}"\n')
    end = "/" if slash == "always" else ""
    assert {name: text.split()[0] for name, text in files_of(result).items()} == {
        "index.html": "/",
        "a/index.html": f"/a{end}",
        "1/b/index.html": f"/1/b{end}",
    }


def test_an_item_that_another_page_answers_is_told_with_both(built: BuildOf) -> None:
    items = "[{'params': {'id': 'x'}}, {'params': {'id': 'about'}}]"
    error = refused(built, {"[id].py": listing(items), "about.html": "About"})
    assert "item 1: /about is answered by src/pages/about.html" in error.what
    assert error.where.startswith("src/pages/[id].py")


TELL_PAGE = (
    "def GET(ctx):\n    page = ctx.props['page']\n"
    "    return f'{page.data} {page.start}-{page.end} of {page.total}, '"
    "f'{page.current_page}/{page.last_page} {page.size} {list(vars(page.url).values())}'\n"
)


def paginated(arguments: str) -> str:
    return f"async def get_static_paths(paginate):\n    return paginate({arguments})\n{TELL_PAGE}"


def test_a_list_is_paged_with_the_first_page_at_the_top(built: BuildOf) -> None:
    page = paginated("'abcde', page_size=2, params={'tag': 'x'}, props={'n': 1}")
    assert files_of(built({"[tag]/[...page].py": page}, '[tool.routelet]\nbase = "/d"\n')) == {
        "x/index.html": ("['a', 'b'] 0-1 of 5, 1/3 2 ['/d/x', '/d/x/2', None, None, '/d/x/3']"),
        "x/2/index.html": (
            "['c', 'd'] 2-3 of 5, 2/3 2 ['/d/x/2', '/d/x/3', '/d/x', '/d/x', '/d/x/3']"
        ),
        "x/3/index.html": "['e'] 4-4 of 5, 3/3 2 ['/d/x/3', None, '/d/x/2', '/d/x', None]",
    }


def test_a_list_is_paged_with_a_number_on_every_page_and_one_page_for_no_items(
    built: BuildOf,
) -> None:
    made = files_of(built({"[page].py": paginated("[]")}))
    assert made == {"1/index.html": "[] 0--1 of 0, 1/1 10 ['/1', None, None, None, None]"}


@pytest.mark.parametrize(
    ("file", "arguments", "told"),
    [("[id].py", "[1]", "no [page]"), ("[page].py", "[1], page_size=0", "a page of 0 items")],
)
def test_a_list_that_cannot_be_paged_is_told(
    built: BuildOf, file: str, arguments: str, told: str
) -> None:
    error = refused(built, {file: paginated(arguments)})
    assert told in error.what
    assert error.where == f"src/pages/{file}:2"


FAULTY = {
    "no list": ("{'id': 1}", "get_static_paths returned dict, not a list"),
    "nothing": ("None", "get_static_paths returned NoneType, not a list"),
    "an item that is text": ("['a']", "item 0: is no {\"params\": {...}}: 'a'"),
    "an item without params": ("[{'id': 1}]", 'item 0: is no {"params": {...}}'),
    "params that are none": ("[{'params': ['a']}]", 'item 0: is no {"params": {...}}'),
    "a parameter that is missing": ("[{'params': {}}]", "and the file name differ in: id"),
    "one too many": ("[{'params': {'id': 1, 'z': 2}}]", "and the file name differ in: z"),
    "no text": ("[{'params': {'id': 'a'}}, {'params': {'id': 1.5}}]", "item 1: id is no text: 1.5"),
    "a boolean": ("[{'params': {'id': True}}]", "item 0: id is no text: True"),
    "a slash in one segment": (
        "[{'params': {'id': 'a/b'}}]",
        "item 0: id is one segment, and 'a/b'",
    ),
    "a key that is none": (
        "[{'params': {'id': 'a'}, 'prop': {}}]",
        "has params and props, no prop",
    ),
    "half a surrogate pair": ("[{'params': {'id': '\\ud800'}}]", "item 0: "),
    "an empty parameter": ("[{'params': {'id': ''}}]", '[id] needs the parameter "id"'),
    "a folder above": ("[{'params': {'id': '..'}}]", "/[id] has no URL with {'id': '..'}"),
    "NUL": ("[{'params': {'id': 'a\\0'}}]", "/[id] has no URL with {'id': 'a\\x00'}"),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_item_is_told_with_its_page(built: BuildOf, kind: str) -> None:
    returned, what = FAULTY[kind]
    error = refused(built, {"[id].py": listing(returned)})
    assert what in error.what
    assert error.where.partition(":")[0] == "src/pages/[id].py"


def test_props_that_are_no_dict_are_told_with_their_item(built: BuildOf) -> None:
    error = refused(built, {"[id].py": listing("[{'params': {'id': 'a'}, 'props': ['x']}]")})
    assert "item 0" in error.what


def test_a_redirect_becomes_a_page_that_takes_a_browser_on(built: BuildOf) -> None:
    page = "def GET(ctx):\n    return ctx.redirect('/new?a=1&b=\"2\"', 301)\n"
    text = files_of(built({"old.py": page}))["old/index.html"]
    assert 'http-equiv="refresh" content="0;url=/new?a=1&amp;b=&quot;2&quot;"' in text
    assert '<a href="/new?a=1&amp;b=&quot;2&quot;">' in text
    assert 'content="noindex"' in text


@pytest.mark.parametrize(("returned", "status"), [("Response('x', 418)", 418), ("None", 204)])
def test_a_status_that_no_file_can_have_is_refused(
    built: BuildOf, returned: str, status: int
) -> None:
    page = f"from routelet import Response\ndef GET(ctx):\n    return {returned}\n"
    error = refused(built, {"a.py": page})
    assert error.what.startswith(f"answered with status {status}, which no file can have")
    assert "/a of src/pages/a.py" in error.what
    assert error.where == "src/pages/a.py:2"


@pytest.mark.parametrize("name", ["index.py", "[...path].py"])
def test_an_endpoint_at_the_root_is_told_to_name_its_file(built: BuildOf, name: str) -> None:
    listed = "def get_static_paths():\n    return [{'params': {'path': None}}]\n"
    error = refused(built, {name: f"{listed}def GET(ctx):\n    return {{}}\n"})
    assert error.what.startswith("answers with application/json, and at / only HTML has a file")
    assert error.where == f"src/pages/{name}:3"
    assert "index.json.py is /index.json" in error.mend


def test_an_endpoint_that_is_a_folder_as_well_is_told_to_name_its_file(built: BuildOf) -> None:
    endpoint = "def GET(ctx):\n    return {}\n"
    alone = built({"blog/index.py": endpoint})
    assert set(files_of(alone)) == {"blog"}
    page = "def GET(ctx):\n    return 'x'\n"
    pages = {"blog/index.py": page, "blog/post.py": page}
    assert set(files_of(built(pages))) == {"blog/index.html", "blog/post/index.html"}
    error = refused(built, {"blog/index.py": endpoint, "blog/post.py": page})
    assert "cannot be written" in error.what
    assert "index.json.py is /index.json" in error.mend


@pytest.mark.parametrize(
    "asked",
    [
        "request.headers",
        "request.body",
        "request.cookies",
        "cookies.get('a')",
        "client_address",
        "request.form()",
        "request.text()",
        "request.json()",
    ],
)
def test_what_only_a_request_has_is_refused_at_its_line(built: BuildOf, asked: str) -> None:
    error = refused(built, {"a.py": f"def GET(ctx):\n    x = 1\n    return str(ctx.{asked})\n"})
    assert error.where == "src/pages/a.py:3"
    assert "while a page is prerendered" in error.what or "at build time" in error.what
    assert "prerender = False" in error.what


def test_a_traceback_names_the_site_s_own_frames_only(built: BuildOf) -> None:
    shared = "import json\n\n\ndef load(text):\n    return json.loads(text)\n"
    page = "from shared import load\ndef GET(ctx):\n    return load('{')\n"
    error = refused(built, {"a.py": page}, shared=shared)
    assert error.where == "src/shared.py:5"
    assert error.what.startswith("JSONDecodeError: ")
    named = [line.split('"')[1] for line in error.mend.splitlines() if "File" in line]
    assert [Path(one).name for one in named] == ["a.py", "shared.py"]


def test_what_pages_print_does_no_harm(built: BuildOf) -> None:
    page = "print('{}', flush=True)\ndef GET(ctx):\n    print('x')\n    return 'page'\n"
    assert files_of(built({"a.py": page})) == {"a/index.html": "page"}


@pytest.mark.parametrize("does", ["sys.exit(0)", "sys.exit(3)", "os.write(1, b'x'); 1 / 0"])
def test_a_page_that_ends_the_process_or_writes_past_python_is_told_at_its_line(
    built: BuildOf, does: str
) -> None:
    error = refused(built, {"a.py": f"import os, sys\ndef GET(ctx):\n    {does}\n"})
    assert error.where == "src/pages/a.py:3"


def test_middleware_that_does_not_import_is_told_at_its_line(built: BuildOf) -> None:
    middleware = "x = 1\ny = x / 0\ndef on_request(ctx, next): ...\n"
    assert refused(built, {"a.html": ""}, middleware=middleware).where == "src/middleware.py:2"


def test_a_file_that_is_a_folder_of_others_is_refused(built: BuildOf) -> None:
    error = refused(built, {"api/index.py": DATA, "api/x.py": DATA})
    assert "/api" in error.what
    assert error.where.startswith("src/pages/api/")


def test_a_page_takes_the_place_of_a_public_file_and_says_so(
    write_site: Callable[..., Path],
) -> None:
    files = {"src/pages/a.html": "page", "public/a/index.html": "public"}
    result = build(write_site(files, pyproject=SITE))
    assert files_of(result)["a/index.html"] == "page"
    assert "src/pages/a.html: takes the place of a/index.html in public/" in result.warnings


def test_headers_that_many_pages_lose_are_told_once(write_site: Callable[..., Path]) -> None:
    middleware = (
        "def on_request(ctx, next):\n"
        "    response = next()\n"
        "    response.headers['x-a' if ctx.url.path != '/c' else 'x-c'] = '1'\n"
        "    return response\n"
    )
    pages = {f"src/pages/{name}.html": "page" for name in "abcd"}
    files = {**pages, "src/middleware.py": middleware}
    result = build(write_site(files, pyproject=SITE))
    assert result.warnings == (
        "src/pages/a.html: /a sets x-a, which a file on disk cannot have; 2 more do",
        "src/pages/c.html: /c sets x-c, which a file on disk cannot have",
    )


CLASHES = {
    "two pages": {"a.md": "", "a.html.py": TELL},
    "two items": {"[id].py": listing("[{'params': {'id': 'a'}}, {'params': {'id': 'a'}}]")},
}


@pytest.mark.parametrize("kind", CLASHES)
def test_two_outputs_for_one_file_are_told(built: BuildOf, kind: str) -> None:
    error = refused(built, CLASHES[kind], '[tool.routelet]\nbuild.format = "file"\n')
    assert "a.html" in error.what
