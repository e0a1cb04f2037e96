"""Forms: fields, files, and limits; multipart bodies as browsers and other clients write them."""

import uuid
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routelet import Request
from routelet.forms import MAX_FIELD_BYTES, MAX_PARTS, FormError, form_of

URLENCODED = "application/x-www-form-urlencoded"


def multipart(*parts: tuple[str, bytes], boundary: str = "x") -> tuple[str, bytes]:
    """Return content type and body of parts, each with its headers as text."""
    body = b"".join(
        b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), headers.encode(), content)
        for headers, content in parts
    )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def field(name: str, value: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', value


def test_an_urlencoded_form_keeps_order_repeats_and_empty_values() -> None:
    form = form_of(f"{URLENCODED}; charset=utf-8", b"a=1&b=&a=2&c=%C3%A9+x")
    assert list(form.items()) == [("a", "1"), ("b", ""), ("a", "2"), ("c", "é x")]
    assert form.get_all("a") == ["1", "2"]
    assert form.files == {}


def test_a_request_reads_its_form() -> None:
    request = Request("/", method="POST", headers={"content-type": URLENCODED}, body=b"q=zip")
    assert request.form().get("q") == "zip"


def test_a_multipart_form_has_fields_and_files() -> None:
    disposition = 'Content-Disposition: form-data; name="photo"; filename="cat.png"'
    content_type, body = multipart(
        field("title", "Täg".encode()),
        (f"{disposition}\r\nContent-Type: image/png", b"\x89PNG\r\n--not the boundary\r\n"),
        (disposition, b""),
    )
    form = form_of(content_type, body)
    assert form["title"] == "Täg"
    first, second = form.files["photo"]
    assert (first.filename, first.content_type) == ("cat.png", "image/png")
    assert first.body == b"\x89PNG\r\n--not the boundary\r\n"
    assert (second.content_type, second.body) == ("application/octet-stream", b"")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('form-data; name="a b"', "a b"),
        ("form-data; name=token", "token"),
        ('form-data; name="a\\"b"', 'a"b'),
        ('form-data; name="a%22b"', 'a"b'),
        ('form-data; name="a;b=c"', "a;b=c"),
        ('FORM-DATA; other=1; name="x"', "x"),
    ],
)
def test_names_are_read_as_clients_write_them(header: str, name: str) -> None:
    content_type, body = multipart((f"content-disposition: {header}", b"v"))
    assert list(form_of(content_type, body).items()) == [(name, "v")]


def test_a_preamble_and_blanks_after_a_boundary_are_passed_over() -> None:
    _, body = multipart(field("a", b"1"))
    body = b"preamble\r\n" + body.replace(b"--x\r\n", b"--x \t\r\n")
    assert form_of("multipart/form-data; boundary=x", body)["a"] == "1"


def test_the_standard_library_s_own_multipart_is_read() -> None:
    message = MIMEMultipart("form-data")
    part = MIMENonMultipart("text", "plain")
    part.add_header("Content-Disposition", "form-data", name="a")
    part.set_payload("value")
    message.attach(part)
    head, _, body = message.as_bytes().partition(b"\n\n")
    form = form_of(message["content-type"].replace("\n", ""), body.replace(b"\n", b"\r\n"))
    assert head
    assert form["a"] == "value"


BAD = {
    "no form at all": ("application/json", b"{}"),
    "no type": ("", b"a=1"),
    "no boundary named": ("multipart/form-data", b"--x--"),
    "a boundary of 71 characters": (f"multipart/form-data; boundary={'x' * 71}", b""),
    "a boundary that is not there": ("multipart/form-data; boundary=y", b"--x\r\n\r\n--x--"),
    "a part that is not closed": ("multipart/form-data; boundary=x", b"--x\r\n\r\nabc"),
    "a part without a name": multipart(("Content-Disposition: form-data", b"")),
    "a part without headers": ("multipart/form-data; boundary=x", b"--x\r\n\r\nv\r\n--x--"),
    "a header without a colon": multipart(("nonsense", b"")),
    "text behind a boundary": ("multipart/form-data; boundary=x", b"--xy\r\n\r\n\r\n--x--"),
    "headers beyond the limit": multipart(("x: " + "y" * 9_000, b"")),
    "a field beyond the limit": multipart(field("a", b"x" * (MAX_FIELD_BYTES + 1))),
    "too many parts": multipart(*[field("a", b"")] * (MAX_PARTS + 1)),
    "too many fields": (URLENCODED, b"a=1&" * (MAX_PARTS + 1)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_body_that_is_no_form_within_limits_is_refused(name: str) -> None:
    with pytest.raises(FormError):
        form_of(*BAD[name])


names = st.text(st.characters(blacklist_characters='"\\\r\n\0%', blacklist_categories=("Cs", "Cc")),
                min_size=1)  # fmt: skip


@given(fields=st.lists(st.tuples(names, st.binary(max_size=60)), max_size=5))
def test_what_is_written_is_read(fields: list[tuple[str, bytes]]) -> None:
    boundary = uuid.uuid4().hex
    parts = [
        (f'Content-Disposition: form-data; name="{name.strip()}"; filename="f"', content)
        for name, content in fields
    ]
    form = form_of(*multipart(*parts, boundary=boundary))
    read = [(name, file.body) for name, files in form.files.items() for file in files]
    assert sorted(read) == sorted((name.strip(), content) for name, content in fields)


@given(body=st.binary(max_size=300))
def test_no_body_raises_anything_but_a_form_error(body: bytes) -> None:
    for content in (body, b"--x\r\n" + body + b"\r\n--x--"):
        try:
            form_of("multipart/form-data; boundary=x", content)
        except FormError:
            continue
    assert form_of(URLENCODED, b"").files == {}
