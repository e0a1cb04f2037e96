"""Shared objects: real ones run without their symbols, and what must not be touched is not."""

import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from routelet_bundler.pack.elf import stripped

SEGMENT, SECTION, HEADER = "<IIQQQQQQ", "<IIQQQQIIQQ", "<16sHHIQQQIHHHHHH"
PAGE = 0x1000


def real() -> Path:
    """Return a shared object that a wheel ships with its debug information."""
    [found] = Path(yaml.__file__).parent.glob("_yaml*.so")
    return found


def made(
    *parts: tuple[int, int, bytes],
    section: bytes = b".debug_info",
    gap: int = 5000,
    kind: int = 3,
    after: bytes = b"",
) -> bytes:
    """Return an object of loaded (offset in a page, alignment, bytes), with `gap` debug bytes each.

    Debug information stands between segments where patchelf has appended one.
    """
    body, segments = bytearray(64 + 56 * len(parts)), []
    for within, align, data in parts:
        body += b"\xdd" * gap
        body += bytes((within - len(body)) % align)
        segments.append((1, 4, len(body), len(body), len(body), len(data), len(data), align))
        body += data
    names = b"\0" + section + b"\0.shstrtab\0"
    text = len(body)
    body += names
    sections = [
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (1, 1, 0, 0, 64, gap, 0, 0, 1, 0),
        (2 + len(section), 3, 0, 0, text, len(names), 0, 0, 1, 0),
    ]
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    sizes = (64, 56, len(parts), 64, len(sections), 2)
    body[:64] = struct.pack(HEADER, ident, kind, 62, 1, 0, 64, len(body), 0, *sizes)
    body[64 : 64 + 56 * len(parts)] = b"".join(struct.pack(SEGMENT, *one) for one in segments)
    return bytes(body) + b"".join(struct.pack(SECTION, *one) for one in sections) + after


def loaded(content: bytes) -> dict[int, tuple[int, int, bytes]]:
    """Return address to (offset, alignment, bytes) of what a loader maps."""
    header = struct.unpack_from(HEADER, content)
    found = {}
    for number in range(header[10]):
        _, _, offset, address, _, size, _, align = struct.unpack_from(
            SEGMENT, content, header[5] + 56 * number
        )
        assert offset + size <= len(content)
        found[address] = (offset, align, content[offset : offset + size])
    return found


def test_a_real_one_loses_most_of_its_bytes_and_runs(tmp_path: Path) -> None:
    before = real().read_bytes()
    after = stripped("yaml/" + real().name, before)
    assert len(after) < len(before) / 4
    (tmp_path / "yaml").mkdir()
    for source in real().parent.glob("*.py"):
        (tmp_path / "yaml" / source.name).write_bytes(source.read_bytes())
    (tmp_path / "yaml" / real().name).write_bytes(after)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import yaml\n"
        "try: yaml.load('a: [', yaml.CSafeLoader)\n"
        "except yaml.YAMLError: print(yaml.load('a: [1, 2]', yaml.CSafeLoader), yaml.__file__)\n"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"{{'a': [1, 2]}} {tmp_path}/yaml/__init__.py\n", done.stderr


def test_what_is_stripped_already_stays_byte_for_byte() -> None:
    once = stripped("m.so", real().read_bytes())
    assert stripped("m.so", once) is once


@pytest.mark.parametrize(
    "name",
    ["numpy.libs/libm.so", "a/b.libs/libm.so.1", "x.dylibs/libm.so", "m.py", "so", "m.so.txt"],
)
def test_libraries_of_others_and_other_files_are_left(name: str) -> None:
    content = real().read_bytes()
    assert stripped(name, content) is content


@pytest.mark.parametrize("name", ["m.so", "p/m.cpython-311-x86_64-linux-gnu.so", "p/libm.so.1.2"])
def test_every_name_of_a_shared_object_counts(name: str) -> None:
    content = real().read_bytes()
    assert len(stripped(name, content)) < len(content)


ONE = (0, PAGE, b"code")
WHOLE = made(ONE, (8, PAGE, b"data"), gap=50)


@pytest.mark.parametrize(
    "content",
    [
        made(ONE, section=b".mine"),
        made(ONE, after=b"an archive that the program reads"),
        made(ONE, kind=2),
        made(ONE, (0, PAGE, b"")),
        b"",
        b"\x7fELF",
        b"\x7fELF\x02\x01" + bytes(40),
        b"\x7fELF\x01\x01" + bytes(100),
        b"!<arch>\n",
        made(ONE)[:70],
        made(ONE)[:-50],
    ],
    ids=[
        "a section of its own", "data after its end", "an executable", "an empty segment", "empty",
        "no header", "half a header", "32 bits", "an archive", "no segments", "half its sections",
    ],
)  # fmt: skip
def test_what_a_program_may_read_itself_and_what_is_no_whole_object_is_left(content: bytes) -> None:
    assert stripped("m.so", content) is content


PARTS = st.lists(
    st.tuples(
        st.integers(0, PAGE - 1),
        st.sampled_from([PAGE, 4 * PAGE, 16 * PAGE]),
        st.binary(min_size=1, max_size=200),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(parts=PARTS, gap=st.integers(1, 3 * PAGE), zeros=st.integers(0, 8))
def test_a_loader_maps_the_same_and_offsets_stay_congruent_to_addresses(
    parts: list[tuple[int, int, bytes]], gap: int, zeros: int
) -> None:
    before = made(*parts, gap=gap, after=bytes(zeros))
    after = stripped("m.so", before)
    assert len(after) < len(before)
    mapped = loaded(after)
    assert {at: data for at, (_, _, data) in mapped.items()} == {
        at: data for at, (_, _, data) in loaded(before).items()
    }
    assert all(offset % align == at % align for at, (offset, align, _) in mapped.items())
    places = sorted((offset, offset + len(data)) for offset, _, data in mapped.values())
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert b"\xdd" * 50 not in after.replace(b"".join(data for _, _, data in parts), b"")


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_damaged_object_never_raises(data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(6, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(stripped("m.so", bytes(content)), bytes)
