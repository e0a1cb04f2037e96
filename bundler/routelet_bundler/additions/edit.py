"""Edit: pyproject.toml with additions in it, its comments, order and line ends as they were.

The text is edited by tomlkit, and the same edit is made of plain tables: the text has to say just
that, or it is not written.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError

from routelet_bundler.additions.offers import Offer
from routelet_bundler.config import FILE
from routelet_bundler.errors import WRONG_USE, RouteletError
from routelet_bundler.model import Config
from routelet_bundler.toml_lines import line_of

LOCK = "uv.lock"
GROUP = "dev"
"""The dependency group of what only builds need; uv installs it by default."""

Tables = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What is installed for offers, and what pyproject.toml of a site becomes."""

    root: Path
    offers: tuple[Offer, ...]
    before: str
    after: str
    is_locked: bool
    """Whether the site has a uv.lock, which follows pyproject.toml."""
    warnings: tuple[str, ...] = ()

    @property
    def installs(self) -> tuple[str, ...]:
        """What uv is given to install."""
        return tuple(offer.install for offer in self.offers if offer.install is not None)

    @property
    def diff(self) -> tuple[str, ...]:
        """The lines of a unified diff of pyproject.toml; none where it stays."""
        lines = (self.before.splitlines(), self.after.splitlines())
        return tuple(difflib.unified_diff(*lines, FILE, FILE, lineterm=""))

    @property
    def relocks(self) -> bool:
        """Whether uv.lock has to follow: additions to [tool.routelet] are nothing to it."""
        return self.is_locked and _of_uv(self.before) != _of_uv(self.after)


def addition_of(root: Path, config: Config, text: str, offers: Sequence[Offer]) -> Addition:
    """Return what adding `offers` to the site at `root` changes.

    `text` is that of its pyproject.toml, with its line ends. Raises `RouteletError` for two
    adapters, and for a text that cannot be edited.
    """
    adapters = dict.fromkeys(name for offer in offers for name in offer.adapters)
    if len(adapters) > 1:
        raise RouteletError(
            f"a site has one adapter, not {' and '.join(adapters)}", status=WRONG_USE
        )
    is_locked = (root / LOCK).is_file()
    return Addition(
        root=root,
        offers=tuple(offers),
        before=text,
        after=edited(text, lambda tables, row: _add(tables, row, offers, root, is_locked)),
        is_locked=is_locked,
        warnings=tuple(_warnings(config, offers, is_locked)),
    )


def edited(text: str, edit: Callable[[Tables, Callable[[], Tables]], None]) -> str:
    """Return a TOML text after an edit of its tables, which are tomlkit's or plain ones.

    `edit` gets the tables, and what makes an inline table. Raises `RouteletError` where the text
    does not get what plain tables do.
    """
    try:
        wanted = tomllib.loads(text)
        edit(wanted, dict)
        document = tomlkit.parse(text)
        edit(document, tomlkit.inline_table)
        after = _close_to_keys(
            text, tomlkit.dumps(document), _new_keys(tomllib.loads(text), wanted)
        )
        after = _with_line_ends_of(text, after)
        if tomllib.loads(after) == wanted:
            return after
    except (TOMLKitError, tomllib.TOMLDecodeError, AttributeError, TypeError) as error:
        raise _not_editable() from error  # also a list where a table belongs, and the like
    raise _not_editable()


def _not_editable() -> RouteletError:
    return RouteletError(
        "cannot be edited without changing more than is wanted",
        where=FILE,
        mend="write the adapter or integration into [tool.routelet] yourself",
    )


def _new_keys(before: Tables, after: Tables) -> list[tuple[str, ...]]:
    """Return the keys that the edit made: those of its own that were not there."""
    sources = after["tool"].get("uv", {}).get("sources", {})
    ours = [
        ("tool", "routelet", "adapter"),
        ("tool", "routelet", "integrations"),
        ("dependency-groups", GROUP),
        *(("tool", "uv", "sources", name) for name in sources),
    ]
    return [keys for keys in ours if not _has(before, keys)]


def _has(tables: Any, keys: tuple[str, ...]) -> bool:
    return not keys or (keys[0] in tables and _has(tables[keys[0]], keys[1:]))


def _close_to_keys(before: str, after: str, new: Iterable[tuple[str, ...]]) -> str:
    """Move lines of new keys up over comments: what stands below a table's keys is of the next.

    tomlkit puts a key right before the next table's header, and a blank line between the two.
    """
    for keys in new:
        lines = after.split("\n")
        number = line_of(after, keys)
        if number is None or number == line_of(after, keys[:-1]):  # not a line of its own
            continue
        line = lines.pop(number - 1)
        place = number - 1
        while place and (not lines[place - 1].strip() or lines[place - 1].lstrip()[0] == "#"):
            place -= 1
        around = lines[number - 2 : number + 1]
        if place < number - 1 and around[1:2] == [""] and "\n".join(around[::2]) in before:
            del lines[number - 1]
        lines.insert(place, line)
        after = "\n".join(lines)
    return after


def _with_line_ends_of(before: str, after: str) -> str:
    is_crlf = "\r\n" in before and not re.search(r"(?<!\r)\n", before)
    return re.sub(r"(?<!\r)\n", "\r\n", after) if is_crlf else after


def _add(
    tables: Tables,
    row: Callable[[], Tables],
    offers: Sequence[Offer],
    root: Path,
    is_locked: bool,
) -> None:
    """Make the edit in `tables`, which are plain or tomlkit's; `row` makes an inline table."""
    ours = tables.setdefault("tool", {}).setdefault("routelet", {})
    for offer in offers:
        for name in offer.adapters:
            if ours.get("adapter") != name:
                ours["adapter"] = name
        for name in offer.integrations:
            if name not in ours.get("integrations", ()):
                _append(ours, "integrations", name)
        line = _line_of(offer, is_locked)
        if line is None or canonicalize_name(offer.distribution) in set(_required(tables)):
            continue
        _append(tables.setdefault("dependency-groups", {}), GROUP, line)
        if offer.path is not None:
            sources = tables["tool"].setdefault("uv", {}).setdefault("sources", {})
            source = row()
            source["path"] = Path(os.path.relpath(offer.path, root)).as_posix()
            sources[offer.distribution] = source


def _append(table: Tables, key: str, value: str) -> None:
    if key in table:
        table[key].append(value)
    else:
        table[key] = [value]  # whole: what is appended later to a table in parts is lost by tomlkit


def _line_of(offer: Offer, is_locked: bool) -> str | None:
    """Return the requirement to write, if any; what a path has only uv can name portably."""
    return offer.distribution if offer.path is not None and is_locked else offer.requirement


def _required(tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all distributions that a project requires anywhere."""
    project = tables.get("project", {})
    lists = [
        project.get("dependencies", ()),
        *project.get("optional-dependencies", {}).values(),
        *tables.get("dependency-groups", {}).values(),
    ]
    for line in (line for lines in lists for line in lines):
        try:
            yield canonicalize_name(Requirement(line).name)
        except (InvalidRequirement, TypeError):  # a group may include another one: a table
            continue


def _of_uv(text: str) -> object:
    """Return all that uv.lock may depend on: everything but our own table."""
    tables = tomllib.loads(text)
    tools = tables.pop("tool", {})
    return tables, {name: table for name, table in tools.items() if name != "routelet"}


def _warnings(config: Config, offers: Sequence[Offer], is_locked: bool) -> Iterator[str]:
    for offer in offers:
        for name in offer.adapters:
            if config.adapter not in {None, name}:
                yield f'the adapter "{config.adapter}" is replaced by "{name}"'
            if config.output == "static":
                yield (
                    'output is "static": all pages are rendered by the build; for functions set '
                    'output = "server" or "hybrid"'
                )
        if canonicalize_name(offer.distribution) != "routelet" and not _line_of(offer, is_locked):
            yield (
                f"{offer.distribution} has no requirement that other machines could use (it comes "
                "from a path, or its URL has a password or a query): they have to install it too"
            )
