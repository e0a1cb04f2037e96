"""Pages of a list, for `get_static_paths(paginate)`; the rules are Astro's `paginate()`.

Only a build uses it: no zip has it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from routelet.routing import url_for


@dataclass(frozen=True)
class PageUrls:
    """URL paths of a page and of those around it; None where there is none, or it is itself."""

    current: str
    next: str | None
    prev: str | None
    first: str | None
    last: str | None


@dataclass(frozen=True)
class ListPage:
    """A page of a list: `data` are its items, `start` and `end` their indices, both included.

    `current_page` and `last_page` count from 1, `size` is of a full page, `total` of the list.
    """

    data: list[object]
    start: int
    end: int
    size: int
    total: int
    current_page: int
    last_page: int
    url: PageUrls


def paginator(
    route: str, base: str, trailing_slash: str
) -> Callable[..., list[dict[str, dict[str, object]]]]:
    """Return the `paginate` of a route that has `[page]` or `[...page]` in its file name."""
    is_rest = "[...page]" in route

    def paginate(
        data: Iterable[object],
        page_size: int = 10,
        params: Mapping[str, object] | None = None,
        props: Mapping[str, object] | None = None,
    ) -> list[dict[str, dict[str, object]]]:
        """Return an item of `get_static_paths` for each page, the page as `props["page"]`.

        Raises `ValueError` for a route without a page number, and for a size below 1.
        """
        if not is_rest and "[page]" not in route:
            raise ValueError(f"{route} has no [page] and no [...page] in its file name")
        if page_size < 1:
            raise ValueError(f"a page of {page_size} items")
        items = list(data)
        last = max(1, -(-len(items) // page_size))

        def params_of(number: int) -> dict[str, object]:
            page = None if is_rest and number == 1 else str(number)
            return {**(params or {}), "page": page}

        def url_of(number: int) -> str:
            return url_for(route, params_of(number), base, trailing_slash=trailing_slash)

        def page_of(number: int) -> ListPage:
            start = (number - 1) * page_size
            end = min(start + page_size, len(items))
            return ListPage(
                data=items[start:end],
                start=start,
                end=end - 1,
                size=page_size,
                total=len(items),
                current_page=number,
                last_page=last,
                url=PageUrls(
                    current=url_of(number),
                    next=url_of(number + 1) if number < last else None,
                    prev=url_of(number - 1) if number > 1 else None,
                    first=url_of(1) if number > 1 else None,
                    last=url_of(last) if number < last else None,
                ),
            )

        return [
            {"params": params_of(number), "props": {**(props or {}), "page": page_of(number)}}
            for number in range(1, last + 1)
        ]

    return paginate
