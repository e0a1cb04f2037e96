"""The command line. Each command is a module of its own, loaded when it is called."""

import gc
from importlib import import_module

import click

from routelet_bundler.version import __version__

COMMANDS = {
    "add": "Install adapters and integrations and write them into pyproject.toml.",
    "build": "Build the site into dist/: one zip for each on-demand route.",
    "emulate": "Run the built zips locally, under AWS's own runtime client.",
    "report": "Write dist/report.html: sizes, import times, changes, and what to cut.",
    "routes": "List the routes in matching order, or tell which one answers a URL.",
    "template": "Write what deploys the built zips: a SAM template or a CDK app.",
    "why": "Tell why a file or a distribution is in the zip of a route.",
}
"""Help by command; its module has the same name."""


class _LateCommands(click.Group):
    """Loads a command when it is called: `--version` and `--help` load no stage."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's protocol
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        # Many values, few cycles: a sixth of loading a command, and a tenth of a build, is spared.
        gc.set_threshold(50_000, 20, 100)
        module = import_module(f"routelet_bundler.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from routelet_bundler.errors import did_you_mean  # noqa: PLC0415 - only for a typo

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS)
            ctx.fail(f'no command "{args[0]}"{f"; {hint}" if hint else ""}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_LateCommands)
@click.version_option(__version__, prog_name="routelet")
def main() -> None:
    """Build a site of file routes into one small, verified AWS Lambda zip per route."""
