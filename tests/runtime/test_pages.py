"""Page modules: found by their safe names, in place and packed; handlers and their results."""

import sys
from collections.abc import Callable
from functools import wraps
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from routelet.http import Response
from routelet.pages import BadParameterError, bind, handlers_of, load_page, response_of

Write = Callable[[str, str], None]


def context(**params: str | None) -> Any:
    return SimpleNamespace(params=params)


# Loading


def test_a_page_is_found_in_place_by_its_safe_name(write: Write) -> None:
    write("pages/blog/[slug].py", "NAME = __name__")
    page = load_page("pages.blog._slug_", "pages/blog/[slug].py")
    assert page.NAME == "pages.blog._slug_"
    assert page.__file__ is not None
    assert page.__file__.endswith("pages/blog/[slug].py")
    assert load_page("pages.blog._slug_", "pages/blog/[slug].py") is page
    assert sys.modules["pages.blog._slug_"] is page


def test_a_page_is_found_under_its_safe_name_where_it_is_packed(write: Write) -> None:
    write("pages/blog/_slug_.py", "PACKED = True")
    assert load_page("pages.blog._slug_", "pages/blog/[slug].py").PACKED


def test_a_generated_page_has_no_source(write: Write) -> None:
    write("site_templates/__init__.py", "")
    write("site_templates/pages_about_md.py", "MADE = True")
    assert load_page("site_templates.pages_about_md", None).MADE


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pages.data_json", "pages/data.json.py"),
        ("pages.a_b", "pages/a b.py"),
        ("pages._lang_._version_-_x_", "pages/[lang]/[version]-[x].py"),
        ("pages.docs.____path_", "pages/docs/[...path].py"),
        ("pages._well-known.security_txt", "pages/.well-known/security.txt.py"),
        ("pages.caf_", "pages/café.py"),
    ],
)
def test_names_that_no_module_can_have(write: Write, module: str, source: str) -> None:
    write(source, "HERE = __file__")
    assert load_page(module, source).HERE.endswith(source)


def test_relative_imports_work_in_folders_with_brackets(write: Write) -> None:
    write("pages/_shared.py", "SITE = 'site'")
    write("pages/[lang]/_words.py", "WORD = 'word'")
    write("pages/[lang]/inner/_deep.py", "from .._words import WORD as DEEP")
    write(
        "pages/[lang]/[id].py",
        """
        from .._shared import SITE
        from . import _words
        from ._words import WORD
        from .inner._deep import DEEP
        """,
    )
    page = load_page("pages._lang_._id_", "pages/[lang]/[id].py")
    assert (page.SITE, page.WORD, page.DEEP) == ("site", "word", "word")
    assert page._words is sys.modules["pages._lang_._words"]


def test_two_folders_with_brackets_keep_apart(write: Write) -> None:
    for folder in ("[a]", "[b]"):
        write(f"pages/{folder}/_name.py", f"NAME = {folder!r}")
        write(f"pages/{folder}/x.py", "from ._name import NAME")
    assert load_page("pages._a_.x", "pages/[a]/x.py").NAME == "[a]"
    assert load_page("pages._b_.x", "pages/[b]/x.py").NAME == "[b]"


def test_pages_can_be_patched_by_their_dotted_name(write: Write) -> None:
    write("pages/posts/[id].py", "def load(): return 'real'\ndef GET(ctx): return load()")
    write("pages/[lang]/about.py", "def load(): return 'real'\ndef GET(ctx): return load()")
    for module, source in (
        ("pages.posts._id_", "pages/posts/[id].py"),
        ("pages._lang_.about", "pages/[lang]/about.py"),
    ):
        page = load_page(module, source)
        with mock.patch(f"{module}.load", return_value="patched"):
            assert page.GET(None) == "patched"
        assert page.GET(None) == "real"


@pytest.mark.usefixtures("source_root")
def test_a_page_that_is_nowhere_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pages/\[id\]\.py") as raised:
        load_page("pages._id_", "pages/[id].py")
    assert raised.value.name == "pages._id_"


def test_a_module_that_a_page_lacks_is_named_and_the_page_is_not_kept(write: Write) -> None:
    write("pages/[id].py", "import no_such_module_anywhere")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
            load_page("pages._id_", "pages/[id].py")
        assert "pages._id_" not in sys.modules


def test_a_page_that_fails_can_be_loaded_once_it_is_mended(write: Write) -> None:
    write("pages/[id].py", "raise OSError('not yet')")
    with pytest.raises(OSError, match="not yet"):
        load_page("pages._id_", "pages/[id].py")
    write("pages/[id].py", "MENDED = True  # longer than it was")
    assert load_page("pages._id_", "pages/[id].py").MENDED


# Handlers


FULL_WIDTH_ONE = "\uff11"
KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"


def module_of(source: str) -> ModuleType:
    module = ModuleType("pages.example")
    module.__file__ = "/site/src/pages/example.py"
    exec(source, vars(module))
    return module


def test_handlers_are_functions_named_like_methods() -> None:
    module = module_of(
        """
from functools import partial
from uuid import UUID as ID
def GET(ctx): ...
async def PURGE(ctx): ...
ALL = partial(print)
def get(ctx): ...
def Post(ctx): ...
def _PUT(ctx): ...
TITLE = "no function"
MAX_SIZE = print
"""
    )
    assert list(handlers_of(module)) == ["GET", "PURGE", "ALL"]


def test_a_handler_of_the_context_alone_is_used_as_it_is() -> None:
    def get(_: object) -> None: ...

    assert bind(get, ("id",)) is get
    assert bind(print, ("id",)) is print


def test_parameters_are_given_by_name_and_converted_by_annotation() -> None:
    def get(_, plain, size: float, *, number: int, key: UUID, other=5):  # type: ignore[no-untyped-def]
        return plain, size, number, key, other

    params = ("number", "key", "size", "plain", "unasked")
    ctx = context(number="-7", size="1.5", key=KEY, plain="p", unasked="u")
    assert bind(get, params)(ctx) == ("p", 1.5, -7, UUID(KEY), 5)


def test_annotations_may_be_text() -> None:
    def get(_, number, key, rest):  # type: ignore[no-untyped-def]
        return number, key, rest

    get.__annotations__ = {"number": "int", "key": "uuid.UUID", "rest": "str | None"}
    bound = bind(get, ("number", "key", "rest"))
    assert bound(context(number="7", key=KEY, rest=None)) == (7, UUID(KEY), None)


def test_a_decorated_handler_gets_its_parameters() -> None:
    def twice(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def wrapper(*args: object, **named: object) -> object:
            return handler(*args, **named) * 2

        return wrapper

    @twice
    def get(_: object, number: int) -> int:
        return number

    assert bind(get, ("number",))(context(number="7")) == 14


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, value) for value in ("x", "", "1.0", " 1", "1_0", "+1", FULL_WIDTH_ONE, "9" * 5000)]
    + [(float, value) for value in ("x", "nan", "inf", "1_0.5", " 1.0", "1e")]
    + [(UUID, value) for value in ("x", f"{{{KEY}}}", KEY.replace("-", ""), f"urn:uuid:{KEY}")],
)
def test_a_value_that_does_not_parse_is_no_parameter(annotation: type, value: str) -> None:
    def get(_: object, key: object) -> object:
        return key

    get.__annotations__["key"] = annotation
    with pytest.raises(BadParameterError, match="key="):
        bind(get, ("key",))(context(key=value))


# Results


@pytest.mark.parametrize(
    ("value", "status", "content_type", "body"),
    [
        ({"a": [1, None]}, 200, "application/json", b'{"a":[1,null]}'),
        ([], 200, "application/json", b"[]"),
        ("<p>é", 200, "text/html; charset=utf-8", b"<p>\xc3\xa9"),
        ("", 200, "text/html; charset=utf-8", b""),
        (b"\0\xff", 200, "application/octet-stream", b"\0\xff"),
        (None, 204, None, b""),
    ],
)
def test_what_a_handler_returns_becomes_a_response(
    value: object, status: int, content_type: str | None, body: bytes
) -> None:
    response = response_of(value, print, module_of(""))
    assert (response.status, response.headers.get("content-type"), response.read()) == (
        status, content_type, body,
    )  # fmt: skip


def test_a_response_is_passed_on() -> None:
    response = Response("x", 418)
    assert response_of(response, print, module_of("")) is response


@pytest.mark.parametrize("value", [1, True, (), ("a", 200), {1}, 1.5, object(), bytearray(b"a")])
def test_anything_else_is_an_error_that_names_file_and_function(value: object) -> None:
    module = module_of("def GET(ctx): ...")
    with pytest.raises(TypeError) as raised:
        response_of(value, module.GET, module)
    assert str(raised.value) == (
        f"GET in /site/src/pages/example.py returned {type(value).__name__}; a handler returns a "
        "Response, dict, list, str, bytes or None"
    )
