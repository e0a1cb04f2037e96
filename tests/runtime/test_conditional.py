from typing import Any

import pytest

from routelet.conditional import UnsatisfiableRangeError, Validators, range_of
from routelet.headers import Headers

DAY = "Sun, 06 Nov 1994 08:49:37 GMT"
DAY_S = 784_111_777
FILE = Validators('"abc"', DAY_S)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"if-none-match": '"abc"'}, 304),
        ({"if-none-match": 'W/"abc"'}, 304),
        ({"if-none-match": '"x", W/"y,z",  "abc"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"ab"'}, None),
        ({"if-none-match": "abc"}, None),
        ({"if-none-match": ""}, None),
        ({"if-modified-since": DAY}, 304),
        ({"if-modified-since": "Sun, 06 Nov 1994 08:49:38 GMT"}, 304),
        ({"if-modified-since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304),
        ({"if-modified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, None),
        ({"if-modified-since": "yesterday"}, None),
        ({"if-modified-since": "Sun, 99 Nov 99999999 08:49:37 GMT"}, None),
        # A tag counts more than a time: RFC 9110, 13.2.2.
        ({"if-none-match": '"other"', "if-modified-since": DAY}, None),
        ({"if-match": '"abc"'}, None),
        ({"if-match": "*"}, None),
        ({"if-match": 'W/"abc"'}, 412),
        ({"if-match": '"other"'}, 412),
        ({"if-match": '"other"', "if-none-match": '"abc"'}, 412),
        ({"if-unmodified-since": DAY}, None),
        ({"if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 412),
        ({"if-match": '"abc"', "if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, None),
    ],
)
def test_what_a_client_has_already_ends_a_request(
    headers: dict[str, str], status: int | None
) -> None:
    assert FILE.precondition(Headers(headers)) == status


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-4", (2, 5)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-99", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("BYTES= 1-2 ", (1, 3)),
        # Ignored: faulty, of another unit, or several.
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1", None),
        ("bytes 1-2", None),
        ("lines=1-2", None),
        ("bytes=0-1,4-5", None),
        ("bytes=" + "1" * 5000 + "-", None),
        ("bytes=\u0661-", None),
        ("", None),
    ],
)
def test_a_range_is_a_part_of_what_is_there(asked: str, found: Any) -> None:
    assert range_of(Headers({"range": asked}), 10) == found


@pytest.mark.parametrize(
    ("asked", "size"), [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_behind_the_end_is_refused(asked: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        range_of(Headers({"range": asked}), size)


def test_the_end_of_an_empty_file_is_the_whole_of_it() -> None:
    assert range_of(Headers({"range": "bytes=-5"}), 0) is None


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [('"abc"', True), (DAY, True), ('"other"', False), ('W/"abc"', False),
     ("Sun, 06 Nov 1994 08:49:38 GMT", False)],
)  # fmt: skip
def test_a_part_of_another_version_is_not_given(condition: str, allowed: bool) -> None:
    assert FILE.allows_range(Headers({"if-range": condition})) is allowed
