"""What `get_static_paths` lists, checked: the URLs of a prerendered dynamic route.

Only a build uses it: no zip has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from routelet.app import wait_for
from routelet.pages import load_page
from routelet.pagination import paginator
from routelet.routing import url_for


class StaticPathsError(ValueError):
    """A mistake in what `get_static_paths` lists; the message names the item by its number."""


@dataclass(frozen=True)
class StaticPath:
    """A URL path of a route, and the props of its page."""

    url: str
    props: Mapping[str, object]


def static_paths(page: Mapping[str, Any], base: str, trailing_slash: str) -> list[StaticPath]:
    """Return what the `get_static_paths` of a page lists, below `base`.

    `page` has `route`, `params`, `module` and `source`, as in a manifest. Raises
    `StaticPathsError`, and what the page raises.
    """
    get_static_paths = load_page(page["module"], page.get("source")).get_static_paths
    if "paginate" in signature(get_static_paths).parameters:
        listed = get_static_paths(paginate=paginator(page["route"], base, trailing_slash))
    else:
        listed = get_static_paths()
    if hasattr(listed, "__await__"):
        listed = wait_for(listed)
    if not isinstance(listed, list | tuple):
        raise StaticPathsError(f"get_static_paths returned {type(listed).__name__}, not a list")
    paths = []
    for number, item in enumerate(listed):
        try:
            params, props = _checked(item, page)
            url = url_for(page["route"], params, base, trailing_slash=trailing_slash)
        except ValueError as error:  # of url_for too; one of its kind is for half a surrogate pair
            raise StaticPathsError(f"get_static_paths: item {number}: {error}") from None
        paths.append(StaticPath(url, props))
    return paths


def _checked(
    item: object, page: Mapping[str, Any]
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    if not isinstance(item, dict) or not isinstance(item.get("params"), dict):
        raise ValueError(f'is no {{"params": {{...}}}}: {item!r}')
    params: dict[str, object] = item["params"]
    rest = {name for name in page["params"] if f"[...{name}]" in page["route"]}
    if differing := (set(params) ^ set(page["params"])) - rest:
        raise ValueError(f"params and the file name differ in: {', '.join(sorted(differing))}")
    if unknown := item.keys() - {"params", "props"}:
        raise ValueError(f"has params and props, no {', '.join(map(str, unknown))}")
    for name, value in params.items():
        if value is not None and (not isinstance(value, str | int) or isinstance(value, bool)):
            raise ValueError(f"{name} is no text: {value!r}")
        if name not in rest and "/" in str(value):
            raise ValueError(f"{name} is one segment, and {value!r} has a slash")
    props = item.get("props") or {}
    if not isinstance(props, dict):
        raise ValueError(f"props is no dict: {props!r}")
    return params, props
