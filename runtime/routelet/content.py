"""Collections: folders of Markdown below `src/content/`, read at build time.

A function that uses one has its entries as data, and no Markdown or YAML to read.
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

MODULES = "site_templates.collection_"
"""What the names of generated modules begin with."""


class ContentError(ValueError):
    """Front matter that a schema refuses: a line for each mistake, with file and line."""


class Html(str):
    """HTML that a template takes as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


class Entry:
    """A Markdown file of a collection.

    `slug` is its path below the collection's folder, without the extension; `data` is its front
    matter, a dict or what the schema made of it; `body` is the Markdown, `html` what it gives, and
    `headings` are as a layout gets them.
    """

    __slots__ = ("body", "data", "file", "headings", "html", "slug")

    def __init__(self, stored: "Mapping[str, Any]", data: "Any") -> None:
        self.slug: str = stored["slug"]
        self.file: str = stored["file"]
        self.data = data
        self.body: str = stored["body"]
        self.html = Html(stored["html"])
        self.headings: Sequence[Mapping[str, object]] = stored["headings"]

    def __repr__(self) -> str:
        return f"Entry({self.file!r})"


def collection(name: str, schema: "Any" = None) -> tuple[Entry, ...]:
    """Return the entries of `src/content/NAME/`, in the order of their slugs; drafts are none.

    Raises `LookupError` for a folder that is not there, and `ContentError` for all front matter at
    once that `schema`, a pydantic model, refuses.
    """
    module = MODULES + name.replace("-", "_")
    try:
        stored = import_module(module).ENTRIES
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("site_templates"):
            raise
        raise LookupError(f'no collection "{name}": src/content/{name}/ is not there') from None
    entries, mistakes = [], []
    for one in stored:
        try:
            own = _copied(one["data"])
            data = own if schema is None else schema.model_validate(own)
            entries.append(Entry(one, data))
        except ValueError as error:
            mistakes += _mistakes(one, error)
    if mistakes:
        raise ContentError("\n".join(mistakes))
    return tuple(entries)


def _copied(value: "Any") -> "Any":
    """Return a copy: what one page changes of an entry, another does not see."""
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _mistakes(stored: "Mapping[str, Any]", error: ValueError) -> list[str]:
    """Return a line for each mistake that pydantic found in the front matter of an entry."""
    errors: Any = getattr(error, "errors", None)
    told = []
    for one in errors() if errors else [{"loc": (), "msg": str(error)}]:
        keys = [str(key) for key in one["loc"]]
        line = stored["lines"].get(keys[0], 1) if keys else 1
        about = f"{'.'.join(keys)}: " if keys else ""
        told.append(f"{stored['file']}:{line}: {about}{one['msg']}")
    return told
