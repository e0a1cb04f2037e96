"""What is found in a Python source, each with its line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import of `module`, relative where `level` is not 0.

    `names` are those of a `from` import. With `is_pattern` the module has `ANY` or `WORD` in it.
    """

    module: str
    line: int
    names: tuple[str, ...] = ()
    level: int = 0
    guarded: bool = False
    is_pattern: bool = False
    package: str | None = None
    """The package that a relative `import_module` names; None for the file's own."""
    is_dynamic: bool = False
    """A function is given the name."""
    runs: bool = False
    """It is run as a script, by `runpy`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An import, template or collection whose name is only known when it runs."""

    expression: str
    line: int
    end: int
    """Its last line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteCall:
    """A call of `ctx.rewrite` or `next` with a path: examples of it, none where it is unknown."""

    examples: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """All that one source imports."""

    imports: tuple[Import, ...]
    unknown: tuple[Unknown, ...]
    templates: tuple[tuple[str, int], ...]
    """Template names given to `ctx.render`, each with its line."""
    collections: tuple[tuple[str, int], ...]
    """Names given to `routelet.content.collection`, each with its line."""
    assets: tuple[tuple[str | None, int], ...]
    """Names given to `ctx.asset`, each with its line; None for what is no literal."""
    rewrites: tuple[RewriteCall, ...]
    strings: tuple[tuple[str, int], ...]
    """String literals that could name a module, `p.m.Class` or `.m`, each with its line."""
    words: tuple[tuple[str, int], ...]
    """String literals that could name a distribution, each with its line; no keys of mappings."""
    exported: tuple[str, ...]
    """The literal `__all__`."""
