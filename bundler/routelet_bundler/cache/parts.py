"""Plain values with bytes, as one entry: no code can be in it, whoever wrote it.

Four bytes of length (big-endian), then JSON: for each part its values and the length of its bytes.
The bytes of all parts follow.
"""

import json
from collections.abc import Iterable
from typing import Any

_LENGTH_BYTES = 4


def parted(parts: Iterable[tuple[list[Any], bytes]]) -> bytes:
    """Return one entry that holds `parts`: values that JSON has, and bytes."""
    head, data = [], []
    for values, content in parts:
        head.append([*values, len(content)])
        data.append(content)
    text = json.dumps(head, separators=(",", ":")).encode()
    return b"".join([len(text).to_bytes(_LENGTH_BYTES, "big"), text, *data])


def parts_of(entry: bytes) -> list[tuple[list[Any], bytes]]:
    """Return the parts of an entry; raises `ValueError` for what is none."""
    position = _LENGTH_BYTES + int.from_bytes(entry[:_LENGTH_BYTES], "big")
    parts = []
    head = json.loads(entry[_LENGTH_BYTES:position])
    if not isinstance(head, list) or not all(map(_is_part, head)):
        raise ValueError("what is at its head tells of no parts")
    for *others, length in head:
        parts.append((others, entry[position : position + length]))
        position += length
    if position != len(entry):
        raise ValueError("the lengths are not those of the entry")
    return parts


def _is_part(values: object) -> bool:
    return isinstance(values, list) and bool(values) and type(values[-1]) is int and values[-1] >= 0
