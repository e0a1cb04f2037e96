"""`routelet routes`."""

from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from routelet.routing import MalformedPathError, Route, canonical_path, match_route
from routelet_bundler.cli.terminal import (
    console,
    json_option,
    print_warnings,
    reports_errors,
    root_option,
)
from routelet_bundler.configure import set_up
from routelet_bundler.discover import discover
from routelet_bundler.render.routelet_json import route_table


@click.command("routes")
@root_option
@click.option("--match", "urls", multiple=True, metavar="URL", help="Tell what answers a URL.")
@click.argument("more_urls", nargs=-1, metavar="[URL]...")
@json_option
@reports_errors
def command(*, root: Path, urls: tuple[str, ...], more_urls: tuple[str, ...], as_json: bool) -> Any:
    """List the routes in matching order, or tell which one answers each URL.

    Several URLs may follow one --match.
    """
    if more_urls and not urls:
        raise click.UsageError("URLs are given with --match")
    root = root.resolve()
    found = set_up(root, "build")
    site = discover(root, found.config, injections=found.injections)
    print_warnings((*site.warnings, *map(str, site.collisions)))
    if urls:
        matches = [_match(url, site.routes, found.config.base) for url in (*urls, *more_urls)]
        return {"matches": matches} if as_json else _print_matches(matches)
    return {"routes": route_table(site.routes)} if as_json else _print_routes(site.routes)


def _match(url: str, routes: tuple[Route, ...], base: str) -> dict[str, Any]:
    try:
        found = match_route(routes, canonical_path(_path_of(url)), base)
    except MalformedPathError:
        found = None
    route, params = found or (None, {})
    return {
        "url": url,
        "route": route.route if route else None,
        "component": route.component if route else None,
        "params": params,
    }


def _path_of(url: str) -> str:
    """Return the path of a URL, which may be a path alone: `//about` is one."""
    path = url.partition("#")[0].partition("?")[0]
    for scheme in ("http://", "https://"):
        if path.lower().startswith(scheme):
            _, _, path = path[len(scheme) :].partition("/")
            return f"/{path}"
    return path if path.startswith("/") else f"/{path}"


def _print_matches(matches: list[dict[str, Any]]) -> None:
    for match in matches:
        params = " ".join(f"{name}={value!r}" for name, value in match["params"].items())
        owner = match["component"] or ("redirect" if match["route"] else "404")
        click.echo(f"{match['url']}  {match['route'] or '-'}  {owner}  {params}".rstrip())


def _print_routes(routes: tuple[Route, ...]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("route", "file", "type", "rendered"):
        table.add_column(column)
    for route in routes:
        rendered = "at build" if route.prerender else "on demand"
        redirect = route.redirect and f"to {route.redirect[0]}"
        cells = (route.route, route.component or "", route.type, redirect or rendered)
        table.add_row(*map(escape, cells))
    console.print(table)
