"""The URLs of a route as a set: is one set inside another, and what is in both.

A route is a sequence of segments, and a segment one of letters; both are compared by the same two
functions. `is_inside` is sure when it says yes; it does not see what only several ways of one
route cover together. Left aside are URLs with an empty segment, such as `/a//b`, or one of dots.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product

from routelet.routing import Part, Route, literal_text

Segments = tuple[str, ...]
"""A route without the names of its parameters: `blog`, `v[int]-[]`, `[...]`."""

ANY = "[]"
REST = "[...]"
FREE = "\ue000"
"""Stands in a common path for a letter that may be any."""

_BRACKETS = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class _Step:
    """A segment of a route, or the letters that one place of a segment may have."""

    symbol: str
    may_skip: bool = False
    may_repeat: bool = False


_Steps = tuple[_Step, ...]

_MANY = _Step(ANY, may_skip=True, may_repeat=True)
_SOME = _Step(ANY, may_repeat=True)
_INSIDE = "[*]"
_ANY_LETTER = ""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_HEX = 12 * (_Step("1234567890abcdefABCDEF"),)
_DIGITS = _Step("1234567890", may_repeat=True)
_MINUS, _DASH, _DOT = _Step("-", may_skip=True), _Step("-"), _Step(".")
_FRACTION = (_Step(".", may_skip=True), _Step("1234567890", may_skip=True, may_repeat=True))
_NUMBERS = ((_DIGITS, *_FRACTION), (_DOT, _DIGITS))
_EXPONENTS = ((), (_Step("eE"), _Step("+-", may_skip=True), _DIGITS))
_KINDS: dict[str, tuple[_Steps, ...]] = {
    "": ((_Step(_ANY_LETTER, may_repeat=True),),),
    "*": ((_Step(_ANY_LETTER, may_skip=True, may_repeat=True),),),
    "int": ((_MINUS, _DIGITS),),
    "float": tuple((_MINUS, *one, *other) for one in _NUMBERS for other in _EXPONENTS),
    "uuid": ((*_HEX[:8], *(3 * (_DASH, *_HEX[:4])), _DASH, *_HEX),),
    "slug": ((_Step(f"x{_LETTERS}{_LETTERS.upper()}1234567890_-", may_repeat=True),),),
}
"""The ways to write a parameter, a rest inside of a segment, and each of `PARAMETER_TYPES`.

The first letter of a step is the one for an example.
"""


def segments_of(route: Route) -> Segments:
    """Return `route` without the names of its parameters: two such that are equal match alike."""
    return tuple("".join(map(_nameless, segment)) for segment in route.segments)


def _nameless(part: Part) -> str:
    if not part.dynamic:
        return fixed(part.content)
    return REST if part.spread else f"[{part.type or ''}]"


def fixed(text: str) -> str:
    """Return the segment that only matches `text`."""
    return unicodedata.normalize("NFC", text).replace("[", "%5B").replace("]", "%5D")


def may_meet(first: str, second: str) -> bool:
    """Tell whether what two segments begin and end with lets them match the same text."""
    if ANY in (first, second):
        return True
    head, other_head = first.partition("[")[0], second.partition("[")[0]
    tail, other_tail = first.rpartition("]")[2], second.rpartition("]")[2]
    return (head.startswith(other_head) or other_head.startswith(head)) and (
        tail.endswith(other_tail) or other_tail.endswith(tail)
    )


def is_inside(inner: Segments, outer: Segments) -> bool:
    """Tell whether `outer` matches every URL that `inner` matches."""
    if outer and "[" not in outer[0] and inner[:1] != outer[:1]:
        return False
    if all(segment in (ANY, REST) for segment in outer):  # one answer then, for many routes
        inner = tuple(segment if "[" in segment else "a" for segment in inner)
    return _is_inside(inner, outer)


@lru_cache(maxsize=4096)
def _is_inside(inner: Segments, outer: Segments) -> bool:
    ways = tuple(_ways(outer))
    return all(_covers(ways, one, _segment_covers) for one in _ways(inner))


def common_paths(first: Segments, second: Segments) -> Iterator[tuple[str, ...]]:
    """Yield the segments of paths that both match: a short one for each way to do so.

    Those where each rest has a value come first; one inside of a segment always has.
    """
    for rest in (_SOME, _MANY):
        for one, other in product(_ways(first, rest, ANY), _ways(second, rest, ANY)):
            path = _meet(one, other, _segment_in_both)
            if path is not None:
                yield path


def _ways(segments: Segments, rest: _Step = _MANY, inside: str = _INSIDE) -> Iterator[_Steps]:
    """Yield what a route may be as steps: a rest inside of a segment may go on over several."""
    for parts in product(*(tuple(_segment_ways(segment, rest, inside)) for segment in segments)):
        yield tuple(chain.from_iterable(parts))


def _segment_ways(segment: str, rest: _Step, inside: str) -> Iterator[_Steps]:
    before, found, after = segment.partition(REST)
    if not found:
        yield (_Step(segment),)
    elif segment == REST:
        yield (rest,)
    else:
        yield from _segment_ways(f"{before}{inside}{after}", rest, inside)
        for others in _segment_ways(f"{inside}{after}", rest, inside):
            yield (_Step(f"{before}{inside}"), _MANY, *others)


def _segment_covers(outer: str, inner: str) -> bool:
    return outer in (inner, ANY) or ("[" in outer and _letters_cover(outer, inner))


@lru_cache(maxsize=4096)
def _letters_cover(outer: str, inner: str) -> bool:
    return all(_covers(_letters(outer), one, _letter_covers) for one in _letters(inner))


def _letter_covers(outer: str, inner: str) -> bool:
    return outer == _ANY_LETTER or (inner != _ANY_LETTER and set(inner) <= set(outer))


def _segment_in_both(first: str, second: str) -> str | None:
    if "[" not in first and "[" not in second:
        return literal_text(first) if first == second else None
    return _text_in_both(first, second)


@lru_cache(maxsize=4096)
def _text_in_both(first: str, second: str) -> str | None:
    pairs = product(_letters(first), _letters(second))
    texts = ("".join(_meet(*pair, _letter_in_both) or ()) for pair in pairs)
    return next((text for text in texts if text.strip(".")), None)


def _letter_in_both(first: str, second: str) -> str | None:
    if _ANY_LETTER in (first, second):
        return (first + second or FREE)[0]
    return next((letter for letter in first if letter in second), None)


@lru_cache(maxsize=4096)
def _letters(segment: str) -> tuple[_Steps, ...]:
    """Return the ways to write a segment, letter by letter."""
    pieces: list[Iterable[_Steps]] = []
    for number, text in enumerate(_BRACKETS.split(segment)):
        literal = (tuple(map(_Step, literal_text(text))),)
        pieces.append(_KINDS[text] if number % 2 else literal)
    return tuple(tuple(chain.from_iterable(parts)) for parts in product(*pieces))


def _meet(
    first: _Steps, second: _Steps, in_both: Callable[[str, str], str | None]
) -> tuple[str, ...] | None:
    """Return the shortest that both go through, or None."""
    queue: list[tuple[int, int, tuple[str, ...]]] = [(0, 0, ())]
    seen = set()
    for start, other_start, found in queue:  # which grows
        for pair in product(_reach(first, start), _reach(second, other_start)):
            here, there = pair
            if here == len(first) and there == len(second):
                return found
            if here == len(first) or there == len(second) or pair in seen:
                continue
            seen.add(pair)
            one = in_both(first[here].symbol, second[there].symbol)
            if one is not None:
                nexts = product(_beyond(first, here), _beyond(second, there))
                queue += [(*after, (*found, one)) for after in nexts]
    return None


def _covers(outers: Sequence[_Steps], inner: _Steps, covers: Callable[[str, str], bool]) -> bool:
    """Tell whether each way through `inner` is one through some of `outers`."""
    starts = frozenset((n, at) for n, outer in enumerate(outers) for at in _reach(outer, 0))
    todo, seen = [(0, starts)], set()
    while todo:
        at, places = state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        if at == len(inner):
            if not any(place == len(outers[n]) for n, place in places):
                return False
            continue
        step = inner[at]
        if step.may_skip:
            todo.append((at + 1, places))
        after = frozenset(_through(outers, places, step.symbol, covers))
        todo += [(next_, after) for next_ in _beyond(inner, at)]
    return True


def _through(
    outers: Sequence[_Steps],
    places: Iterable[tuple[int, int]],
    symbol: str,
    covers: Callable[[str, str], bool],
) -> Iterator[tuple[int, int]]:
    """Yield the places that `outers` are at after `symbol`."""
    for n, place in places:
        outer = outers[n]
        if place < len(outer) and covers(outer[place].symbol, symbol):
            for beyond in _beyond(outer, place):
                yield from ((n, at) for at in _reach(outer, beyond))


def _reach(steps: _Steps, at: int) -> Iterator[int]:
    """Yield where one may go on from `at`: there, and behind what may be skipped."""
    yield at
    while at < len(steps) and steps[at].may_skip:
        at += 1
        yield at


def _beyond(steps: _Steps, at: int) -> tuple[int, ...]:
    return (at, at + 1) if steps[at].may_repeat else (at + 1,)
