"""Shapes: the sets of paths that route keys of API Gateway stand for."""

from collections.abc import Iterator
from dataclasses import dataclass

DEFAULT_KEY = "$default"


@dataclass(frozen=True, slots=True)
class Shape:
    """The set of paths that a key stands for; a key is written from it."""

    segments: tuple[str | None, ...]
    """Literal text, or None for any one segment."""
    rest: bool = False
    """One more segment or several; no segments and a rest is `$default`, which is everything."""

    @property
    def is_default(self) -> bool:
        """Tell whether this is everything, the root too."""
        return self.rest and not self.segments

    @property
    def key(self) -> str:
        """The key, with parameters named by their position: other names make no other key."""
        if self.is_default:
            return DEFAULT_KEY
        names = iter(range(len(self.segments)))
        parts = [f"{{p{next(names)}}}" if part is None else part for part in self.segments]
        return "ANY /" + "/".join([*parts, "{proxy+}"] if self.rest else parts)

    @property
    def literal_prefix(self) -> tuple[str | None, ...]:
        """The segments before the first that is a parameter."""
        first = next((i for i, part in enumerate(self.segments) if part is None), None)
        return self.segments[:first]

    def contains(self, other: "Shape") -> bool:
        """Tell whether every path of `other` is one of this shape's."""
        if self.is_default or other.is_default:
            return self.is_default
        if other.rest and not self.rest:
            return False
        spare = len(other.segments) + other.rest - len(self.segments) - self.rest
        if spare < 0 or (spare and not self.rest):
            return False
        pairs = zip(self.segments, other.segments, strict=False)
        return all(mine is None or mine == its for mine, its in pairs)

    def meet(self, other: "Shape") -> "Shape | None":
        """Return the shape of the paths that both have, or None."""
        if self.is_default or other.is_default:
            return other if self.is_default else self
        if not (_reaches(self, other) and _reaches(other, self)):
            return None
        merged: list[str | None] = []
        for index in range(max(len(self.segments), len(other.segments))):
            mine, its = _segment(self, index), _segment(other, index)
            if mine is not None and its is not None and mine != its:
                return None
            merged.append(its if mine is None else mine)
        return Shape(tuple(merged), self.rest and other.rest)


def _segment(shape: Shape, index: int) -> str | None:
    return shape.segments[index] if index < len(shape.segments) else None


def _reaches(shape: Shape, other: Shape) -> bool:
    """Tell whether `shape` is not too short, and a rest has something left, to meet `other`."""
    if shape.rest:
        return other.rest or len(other.segments) > len(shape.segments)
    return other.rest or len(other.segments) == len(shape.segments)


class ShapeTree:
    """Shapes by their segments, so that those which may meet another are found without the rest."""

    def __init__(self) -> None:
        self._here: list[Shape] = []
        self._rest: list[Shape] = []
        self._below: dict[str | None, ShapeTree] = {}

    def add(self, shape: Shape) -> None:
        """Put a shape in, which is not in yet."""
        node = self
        for segment in shape.segments:
            node = node._below.setdefault(segment, ShapeTree())
        (node._rest if shape.rest else node._here).append(shape)

    def near(self, shape: Shape) -> Iterator[Shape]:
        """Yield the shapes that may have paths in common with `shape`, and few others."""
        return self._near(shape.segments, rest=shape.rest)

    def _near(self, segments: tuple[str | None, ...], *, rest: bool) -> Iterator[Shape]:
        if not segments and rest:
            yield from self._all()
            return
        yield from self._rest
        if not segments:
            yield from self._here
        elif segments[0] is None:
            for node in self._below.values():
                yield from node._near(segments[1:], rest=rest)
        else:
            for key in (segments[0], None):
                if key in self._below:
                    yield from self._below[key]._near(segments[1:], rest=rest)

    def _all(self) -> Iterator[Shape]:
        yield from self._here
        yield from self._rest
        for node in self._below.values():
            yield from node._all()
