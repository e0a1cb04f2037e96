"""`routelet add`."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from routelet_bundler.additions import (
    Addition,
    Offer,
    addition_of,
    carry_out,
    commands_of,
    offer_of,
)
from routelet_bundler.cli.terminal import (
    console,
    json_option,
    print_warnings,
    reports_errors,
    root_option,
)
from routelet_bundler.config import FILE, read_config
from routelet_bundler.errors import FAILED, WRONG_USE, RouteletError

STYLES = {"+": "green", "-": "red", "@": "cyan"}
"""Colours of a diff's lines, by their first character."""


@click.command("add")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@root_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@reports_errors
def command(*, names: tuple[str, ...], root: Path, yes: bool, as_json: bool) -> Any:
    """Install adapters and integrations and write them into pyproject.toml.

    NAME is an adapter or integration that is installed already, or what pip installs: a name with
    or without versions, a path to a project or a wheel, a URL.
    """
    config, _ = read_config(root)
    text = (root / FILE).read_bytes().decode()
    offers = [offer_of(name, root) for name in dict.fromkeys(names)]
    addition = addition_of(root, config, text, offers)
    _show(addition)
    written: tuple[str, ...] = ()
    if addition.installs or addition.diff:
        _ask(yes=yes)
        written = carry_out(addition)
    console.print(_said(addition, written))
    return _as_json(addition, written) if as_json else None


def _show(addition: Addition) -> None:
    for offer in addition.offers:
        console.print(f"[bold]{escape(offer.distribution)}[/] {offer.version}: {_offered(offer)}")
    print_warnings(addition.warnings)
    for line in commands_of(addition):
        console.print(f"will run: {escape(line)}")
    for line in addition.diff:
        style = STYLES.get(line[:1])
        console.print(f"[{style}]{escape(line)}[/]" if style else escape(line))


def _offered(offer: Offer) -> str:
    adapters = [f"the adapter {name}" for name in offer.adapters]
    return escape(", ".join([*adapters, *(f"the integration {n}" for n in offer.integrations)]))


def _ask(*, yes: bool) -> None:
    """Return where the user agrees, and end with status 1 where not."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise RouteletError(
            "there is no terminal to ask on",
            mend="nothing was changed; say --yes to add without asking",
            status=WRONG_USE,
        )
    if not click.confirm("Go on?", default=True, err=True):
        console.print("nothing was changed")
        sys.exit(FAILED)


def _said(addition: Addition, written: tuple[str, ...]) -> str:
    names = ", ".join(name for offer in addition.offers for _, name in offer.points)
    if written:
        return escape(f"added {names} to {FILE}")
    installed = "installed; " if addition.installs else ""
    return escape(f"{names}: {installed}in {FILE} already")


def _as_json(addition: Addition, written: tuple[str, ...]) -> dict[str, object]:
    return {
        "added": [
            {
                "distribution": offer.distribution,
                "version": offer.version,
                "adapters": list(offer.adapters),
                "integrations": list(offer.integrations),
                "installed": offer.install is not None,
            }
            for offer in addition.offers
        ],
        "written": list(written),
        "diff": "\n".join(addition.diff),
        "warnings": list(addition.warnings),
    }
