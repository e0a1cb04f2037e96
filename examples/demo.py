"""Request every route of a built example in the local emulator: `make demo` runs this.

Goes in: the folder of an example that was built. Comes out: status and timing of each request; the
exit status is 1 where one was not as expected.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from routelet_bundler.emulator import Emulator

POSTS = {"/contact": {"name": "Ada", "email": "ada@example.com", "text": "A note of the demo."}}
"""Forms to send, by route."""

Request = tuple[str, str, dict[str, str] | None]


def requests_of(manifest: dict) -> Iterator[Request]:
    """Yield method, path and form of one request for each page, file and function."""
    for page in manifest["prerendered"]:
        path = "/" + page["path"].removesuffix("index.html")
        yield "GET", "/404-page-of-the-site" if path == "/404.html" else path, None
    for route in manifest["routes"]:
        if route["function"] and not route["params"]:
            yield "GET", route["route"] + ("?q=python" if "search" in route["route"] else ""), None
            if route["route"] in POSTS:
                yield "POST", route["route"], POSTS[route["route"]]


def main(example: Path) -> int:
    """Return the exit status."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    manifest = json.loads((example / "dist" / "routelet.json").read_text())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("request", "answered by", "status", "first", "again"):
        table.add_column(column, justify="right" if column in {"first", "again"} else "left")
    failed = 0
    with Emulator(example / "dist", log=lambda line: None) as emulator:
        for method, path, form in requests_of(manifest):
            timings = []
            for _ in range(2):
                start = time.perf_counter()
                response = emulator.post(path, form=form) if form else emulator.get(path)
                timings.append(f"{(time.perf_counter() - start) * 1000:.1f} ms")
            route = path.partition("?")[0]
            function = next(
                (r["function"] for r in manifest["routes"] if r["route"] == route), None
            )
            expected = 404 if path.startswith("/404") else 200
            failed += response.status != expected
            status = f"{response.status}" if response.status == expected else (
                f"[red]{response.status}, not {expected}[/]"
            )
            answered_by = f"function {function}" if function else "dist/client"
            table.add_row(escape(f"{method} {path}"), answered_by, status, *timings)
    console.print(table)
    console.print("[red]failed[/]" if failed else "every route answered; the emulator is stopped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
