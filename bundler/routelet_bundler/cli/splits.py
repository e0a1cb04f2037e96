"""What a build tells of splits: a row for each, and why `auto` chose what it did."""

from rich.markup import escape
from rich.table import Table

from routelet_bundler.cli.terminal import console, size
from routelet_bundler.model import Splits


def print_splits(splits: Splits) -> None:
    """Print what each split would give, and the reasons of `auto` where it was used."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("split")
    for name in ("functions", "zips", "median zip", "import", "cold start", "waiting"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in splits.compared:
        table.add_row(
            f"{one.split} (this build)" if one.split == splits.used else one.split,
            str(one.functions),
            size(one.zipped_bytes),
            size(one.median_zipped_bytes),
            f"{one.import_ms:.0f} ms",
            f"{one.cold_start_s:.2f} s",
            f"{one.waiting_s:.2f} s/h",
            escape("; ".join(one.notes)),
        )
    for split, why in splits.impossible:
        table.add_row(split, *["-"] * 6, f"not possible: {escape(why)}")
    console.print(table)
    rates = "the rates given" if splits.has_traffic else "equal rates"
    console.print(f"[dim]times are estimates, for {rates}: docs/splitting.md[/]")
    if splits.choices:
        _print_choices(splits)


def _print_choices(splits: Splits) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("routes of a function")
    table.add_column("why")
    for one in splits.choices:
        table.add_row(escape("\n".join(one.routes)), escape(one.why))
    console.print(table)
