"""Forms: urlencoded and multipart bodies to fields, within limits.

RFC 7578 (multipart/form-data) and RFC 2046, 5.1 (boundaries). A body is whole when it gets here, so
the limits are on what it is taken apart into.
"""

from routelet.headers import Headers
from routelet.http import SearchParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS = 1_000
"""More fields than a form of people has; a parser's time grows with them."""
MAX_PART_HEADER_BYTES = 8 * 1024
MAX_FIELD_BYTES = 1024 * 1024
"""Of one field that is no file."""


class FormError(ValueError):
    """A body that is no form, or one beyond the limits."""


class File:
    """A file of a form: its name as the client says it, its content type and its bytes."""

    __slots__ = ("body", "content_type", "filename")

    def __init__(self, filename: str, content_type: str, body: bytes) -> None:
        self.filename = filename
        self.content_type = content_type
        self.body = body

    def __repr__(self) -> str:
        return f"File({self.filename!r}, {self.content_type!r}, {len(self.body)} bytes)"


class Form(SearchParams):
    """The text fields of a form, by name, and its `files`, each a list of `File`s by name."""

    __slots__ = ("files",)

    def __init__(
        self, fields: "list[tuple[str, str]]", files: "dict[str, list[File]] | None" = None
    ) -> None:
        super().__init__(fields)
        self.files = files or {}


def form_of(content_type: str, body: bytes) -> Form:
    """Return the form in `body`; raises `FormError`."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if kind == "multipart/form-data":
        boundary = _parameters(parameters).get("boundary", "")
        if not 1 <= len(boundary) <= 70:  # RFC 2046, 5.1.1
            raise FormError("the multipart body names no boundary")
        return _multipart(body, boundary.encode())
    raise FormError(f"a body of type {kind or 'unknown'} is no form")


def _urlencoded(body: bytes) -> Form:
    from urllib.parse import parse_qsl  # 6 ms, only for forms  # noqa: PLC0415

    text = body.decode("utf-8", "replace")
    try:
        fields = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MAX_PARTS)
    except ValueError as error:
        raise FormError(f"more than {MAX_PARTS} fields") from error
    return Form(fields)


def _multipart(body: bytes, boundary: bytes) -> Form:
    fields: list[tuple[str, str]] = []
    files: dict[str, list[File]] = {}
    for headers, content in _parts(body, b"--" + boundary):
        disposition, _, parameters = (headers.get("content-disposition") or "").partition(";")
        named = _parameters(parameters)
        if disposition.strip().lower() != "form-data" or "name" not in named:
            raise FormError("a part has no name")
        if "filename" in named:
            kind = headers.get("content-type") or "application/octet-stream"
            files.setdefault(named["name"], []).append(File(named["filename"], kind, content))
        elif len(content) > MAX_FIELD_BYTES:
            raise FormError(f"the field {named['name']!r} is over {MAX_FIELD_BYTES} bytes")
        else:
            fields.append((named["name"], content.decode("utf-8", "replace")))
    return Form(fields, files)


def _parts(body: bytes, delimiter: bytes) -> "Iterator[tuple[Headers, bytes]]":
    # The first delimiter may have no line break in front; afterwards all have.
    position = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    if position == 1:
        raise FormError("the boundary is not in the body")
    count = 0
    while True:
        position += len(delimiter)
        if body[position : position + 2] == b"--":
            return
        line_end = body.find(b"\r\n", position)
        if line_end < 0 or body[position:line_end].strip(b" \t"):
            raise FormError("a boundary is not followed by a line break")
        end = body.find(b"\r\n" + delimiter, line_end)
        if end < 0:
            raise FormError("the last part is not closed")
        count += 1
        if count > MAX_PARTS:
            raise FormError(f"more than {MAX_PARTS} parts")
        yield _part(body[line_end + 2 : end] if end > line_end else b"")
        position = end + 2


def _part(part: bytes) -> "tuple[Headers, bytes]":
    head, separator, content = part.partition(b"\r\n\r\n")
    if part.startswith(b"\r\n"):
        head, content = b"", part[2:]
    elif not separator:
        raise FormError("a part has no end of its headers")
    if len(head) > MAX_PART_HEADER_BYTES:
        raise FormError(f"the headers of a part are over {MAX_PART_HEADER_BYTES} bytes")
    headers = Headers()
    for line in head.decode("utf-8", "replace").split("\r\n") if head else []:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise FormError("a header of a part is malformed")
        try:
            headers.append(name.strip(), value)
        except ValueError as error:
            raise FormError("a header of a part is malformed") from error
    return headers, content


def _parameters(text: str) -> "dict[str, str]":
    r"""Return the parameters of a header: `; name="a \\"b\\""` and `; name=token`."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        name, equals, _ = text[position:].partition("=")
        position += len(name) + len(equals)
        name = name.strip(" \t;").lower()
        if text[position : position + 1] == '"':
            value, position = _quoted(text, position + 1)
        else:
            value = text[position:].partition(";")[0]
            position += len(value)
            value = value.strip(" \t")
        if name and equals:
            found.setdefault(name, value)
        position = len(text) if (end := text.find(";", position)) < 0 else end + 1
    return found


def _quoted(text: str, position: int) -> "tuple[str, int]":
    r"""Read a quoted string; browsers escape a quote as %22 (WHATWG) or as \\" (RFC 9110)."""
    value = []
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and text[position + 1 : position + 2] in {'"', "\\"}:
            position += 1
        value.append(text[position])
        position += 1
    return "".join(value).replace("%22", '"').replace("%0D%0A", " "), position + 1
