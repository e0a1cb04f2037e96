"""What a host refuses: zips that are too large, told with their largest parts and their reasons."""

from collections.abc import Mapping

from routelet_bundler.errors import RouteletError
from routelet_bundler.model import DISTRIBUTION, RUNTIME_FILES, Function, Limits, Reason, Zip

_LARGEST = 10


def check_limits(function: Function, packed: Zip, limits: Limits, sizes: Mapping[str, int]) -> None:
    """Raise `RouteletError` where a zip is over a limit.

    `sizes` are unzipped bytes of its parts: files by their path in the zip, bytecode counted with
    its source, and distributions by `distribution:NAME`.
    """
    if over := excesses(packed, limits):
        source = f" ({limits.source})" if limits.source else ""
        raise RouteletError(
            f"the function {function.name} is too large: {'; '.join(over)}{source}",
            where=", ".join(page.route.component or "" for page in function.pages)
            or function.title,
            mend="cut an import on the way to one of its largest parts (bytes unzipped):"
            + _largest(function, sizes),
        )


def excesses(packed: Zip, limits: Limits) -> list[str]:
    """Return what of a zip is over a limit."""
    return [
        f"{size:,} bytes {what}, the limit is {limit:,}"
        for what, size, limit in (
            ("zipped", packed.zipped_bytes, limits.zipped_bytes),
            ("unzipped", packed.unzipped_bytes, limits.unzipped_bytes),
        )
        if limit is not None and size > limit
    ]


def _largest(function: Function, sizes: Mapping[str, int]) -> str:
    grouped: dict[str, int] = {}
    for name, size in sizes.items():
        part = RUNTIME_FILES if name.startswith(RUNTIME_FILES) else name
        grouped[part] = grouped.get(part, 0) + size
    largest = sorted(grouped.items(), key=lambda item: -item[1])[:_LARGEST]
    chains = _Chains(function)
    return "".join(f"\n  {size:>12,}  {chains.text(name)}" for name, size in largest)


class _Chains:
    """The way to each part by its reason, that of what needs it, and so on."""

    def __init__(self, function: Function) -> None:
        files = function.traced.files
        self._labels = {file.archive: file.label for file in files}
        self._reasons: dict[str, Reason] = {file.archive: file.reason for file in files}
        for one, reason in function.traced.distributions:
            self._reasons[f"{DISTRIBUTION}{one.name}"] = reason

    def text(self, part: str) -> str:
        """Return a part and the way from the page to it: `numpy  (src/pages/a.py:3)`."""
        name, way, seen = self._name(part), list[str](), {part}
        while (reason := self._reasons.get(part)) and reason.parent:
            is_distribution = reason.kind == "requires"
            part = f"{DISTRIBUTION}{reason.parent}" if is_distribution else reason.parent
            if part in seen:
                break
            seen.add(part)
            place = self._name(part)
            way.append(f"{place}:{reason.line}" if reason.line else place)
        return f"{name}  ({' -> '.join(reversed(way))})" if way else name

    def _name(self, part: str) -> str:
        return self._labels.get(part, part.removeprefix(DISTRIBUTION))
