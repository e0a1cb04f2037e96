import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from routelet.client_files import ClientFiles, FileAnswer, PageFile
from routelet.headers import Headers
from routelet.routing import Route

ABOUT = Route("/about", "^/about/$")
NEWS = Route("/news", "^/news$")
MOVED = Route("/old", "^/old/?$")
FILES = {
    "index.html": "home",
    "about/index.html": "about",
    "news.html": "news",
    "old/index.html": "moved",
    "feed": "<a/>",
    "public.html": "a public page",
    "folder/index.html": "a public folder",
    "style.0123456789.css": "a{}",
    "a b/\u00e9.txt": "words",
    ".env": "secret",
    ".git/config": "secret",
    ".well-known/security.txt": "contact",
    ".well-known/.hidden": "secret",
    "deep/.well-known/x": "secret",
    "back\\slash.txt": "secret",
}
PAGES = {
    "about/index.html": PageFile(ABOUT, None, None),
    "news.html": PageFile(NEWS, None, None),
    "old/index.html": PageFile(MOVED, None, (308, "/new")),
    "feed": PageFile(Route("/feed", "^/feed/?$"), "application/rss+xml", None),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    client = tmp_path / "client"
    for name, text in FILES.items():
        (client / name).parent.mkdir(parents=True, exist_ok=True)
        (client / name).write_text(text)
    return client


@pytest.fixture
def files(folder: Path) -> ClientFiles:
    return ClientFiles(str(folder), PAGES, ["style.0123456789.css"])


def asked(
    files: ClientFiles, name: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[FileAnswer, bytes]:
    answer = files.answer(name, method, Headers(headers))
    assert answer is not None
    body = b""
    while piece := answer.read():
        body += piece
    assert answer.file is None
    return answer, body


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "index.html"),
        ("", "index.html"),
        ("/index.html", "index.html"),
        ("/about/", "about/index.html"),
        ("/about", None),  # the route wants a slash
        ("/about/index.html", "about/index.html"),
        ("/news", "news.html"),
        ("/news/", None),
        ("/public", "public.html"),
        ("/public/", "public.html"),
        ("/folder", "folder/index.html"),
        ("/folder/", "folder/index.html"),
        ("/feed", "feed"),
        ("/feed/", None),
        ("/a b/\u00e9.txt", "a b/\u00e9.txt"),
        ("/.well-known/security.txt", ".well-known/security.txt"),
        ("/nothing", None),
        ("/folder/nothing", None),
    ],
)
def test_a_path_has_a_file_of_its_name_or_a_page(
    files: ClientFiles, path: str, name: str | None
) -> None:
    assert files.name_at(path) == name


@pytest.mark.parametrize(
    "path",
    ["/.env", "/.git/config", "/.well-known/.hidden", "/deep/.well-known/x", "/back\\slash.txt",
     "/../secret", "/folder/../../secret", "//etc/passwd", "/folder\\..\\..\\secret", "/a\0b",
     "/link.txt", "/way/secret", "/broken", "/pipe", "/fol"],
)  # fmt: skip
def test_nothing_else_is_served(folder: Path, path: str) -> None:
    outside = folder.parent / "secret"
    outside.write_text("secret")
    (folder / "link.txt").symlink_to(outside)
    (folder / "way").symlink_to(folder.parent)
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    assert ClientFiles(str(folder), {}, []).name_at(path) is None


def test_a_link_within_the_folder_is_a_file(folder: Path) -> None:
    (folder / "again.html").symlink_to("public.html")
    files = ClientFiles(str(folder), {}, [])
    assert asked(files, "again.html")[1] == b"a public page"


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert ClientFiles(str(tmp_path / "client"), {}, []).name_at("/") is None


def test_a_file_comes_with_its_type_and_validators(files: ClientFiles, folder: Path) -> None:
    os.utime(folder / "public.html", (784_111_777, 784_111_777))
    answer, body = asked(files, "public.html")
    assert (answer.status, body) == (200, b"a public page")
    assert dict(answer.headers) == {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        "etag": f'"{sha256(b"a public page").hexdigest()[:32]}"',
        "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
        "accept-ranges": "bytes",
        "content-length": "13",
    }


def test_a_page_has_the_type_that_its_route_gave_and_assets_never_change(
    files: ClientFiles,
) -> None:
    assert dict(asked(files, "feed")[0].headers)["content-type"] == "application/rss+xml"
    cached = dict(asked(files, "style.0123456789.css")[0].headers)["cache-control"]
    assert cached == "public, max-age=31536000, immutable"


def test_a_page_that_redirects_does(files: ClientFiles) -> None:
    answer, body = asked(files, "old/index.html")
    assert (answer.status, answer.headers, body) == (308, [("location", "/new")], b"")


def test_the_tag_is_that_of_the_content_and_changes_with_it(
    files: ClientFiles, folder: Path
) -> None:
    def tag() -> str:
        return dict(asked(files, "public.html")[0].headers)["etag"]

    before = tag()
    os.utime(folder / "public.html", (1, 1))
    assert tag() == before
    (folder / "public.html").write_text("A public page")
    os.utime(folder / "public.html", (2, 2))
    assert tag() != before


def test_a_time_in_the_future_is_told_as_now(files: ClientFiles, folder: Path) -> None:
    os.utime(folder / "feed", (4_000_000_000, 4_000_000_000))
    assert "2096" not in dict(asked(files, "feed")[0].headers)["last-modified"]


def test_what_a_client_has_is_not_sent_again(files: ClientFiles) -> None:
    tag = dict(asked(files, "public.html")[0].headers)["etag"]
    answer, body = asked(files, "public.html", headers={"if-none-match": tag})
    assert (answer.status, body) == (304, b"")
    assert {name for name, _ in answer.headers} == {"cache-control", "etag", "last-modified"}


def test_a_part_is_given_and_one_behind_the_end_is_not(files: ClientFiles) -> None:
    answer, body = asked(files, "public.html", headers={"range": "bytes=2-7"})
    assert (answer.status, body) == (206, b"public")
    headers = dict(answer.headers)
    assert (headers["content-range"], headers["content-length"]) == ("bytes 2-7/13", "6")
    answer, body = asked(files, "public.html", headers={"range": "bytes=13-"})
    assert (answer.status, answer.headers) == (416, [("content-range", "bytes */13")])


def test_a_part_of_another_version_is_the_whole_of_this_one(files: ClientFiles) -> None:
    headers = {"range": "bytes=2-7", "if-range": '"another"'}
    assert asked(files, "public.html", headers=headers)[1] == b"a public page"


def test_head_has_the_headers_of_get_whatever_the_range(files: ClientFiles) -> None:
    head, body = asked(files, "public.html", "HEAD", {"range": "bytes=2-7"})
    assert (head.status, body) == (200, b"")
    assert head.headers == asked(files, "public.html")[0].headers


def test_an_error_page_is_sent_whole_whatever_the_client_has(files: ClientFiles) -> None:
    tag = dict(asked(files, "public.html")[0].headers)["etag"]
    headers = Headers({"if-none-match": tag, "range": "bytes=0-1"})
    answer = files.answer("public.html", "GET", headers, status=404)
    assert answer is not None
    assert (answer.status, answer.read()) == (404, b"a public page")
    assert "etag" not in dict(answer.headers)


def test_a_file_that_went_after_the_start_is_told(files: ClientFiles, folder: Path) -> None:
    (folder / "public.html").unlink()
    assert files.answer("public.html", "GET", Headers()) is None


def test_a_large_file_is_read_in_pieces(files: ClientFiles, folder: Path) -> None:
    content = os.urandom(1_000_000)
    (folder / "feed").write_bytes(content)
    answer = files.answer("feed", "GET", Headers({"range": "bytes=1-999998"}))
    assert answer is not None
    pieces = []
    while piece := answer.read():
        pieces.append(piece)
    assert b"".join(pieces) == content[1:-1]
    assert max(map(len, pieces)) == 262_144
