"""The adapter: what flyby is, and the file that tells it what there is to run."""

import json

from routelet_bundler.adapter import (
    Adapter,
    AdapterFeatures,
    Assets,
    BuildDone,
    ConfigDone,
    Integration,
    Limits,
)

LIMITS = Limits(zipped_bytes=20 * 1024 * 1024)
"""flyby takes uploads of 20 MB."""


def flyby(port: int = 8000, signed_locals: bool = False) -> "Flyby":
    """Return the adapter.

    `port` is where an entry listens that is run as a script. With `signed_locals` functions take
    `ctx.locals` from flyby's front, which signs visitors in, and refuse requests that it did not
    sign.
    """
    return Flyby(port, signed_locals)


class Flyby(Integration):
    """One function for each route, and `flyby.json`, which names the entry of each."""

    name = "flyby"

    def __init__(self, port: int, signed_locals: bool) -> None:
        self._args = {"port": port, "signed_locals": signed_locals}

    def config_done(self, payload: ConfigDone) -> None:
        """Say what flyby is."""
        payload.set_adapter(
            Adapter(
                name=self.name,
                server_entrypoint="routelet_flyby.server",
                exports=("serve",),
                args=self._args,
                adapter_features=AdapterFeatures(function_per_route=True),
                supported_features={
                    "server_output": "stable",
                    "hybrid_output": "experimental",
                    "static_output": "deprecated",
                    "assets": Assets(support="stable", is_pillow_compatible=True),
                    "i18n_domains": "unsupported",
                    "env_get_secret": "unsupported",
                },
                limits=LIMITS,
            )
        )

    def build_done(self, payload: BuildDone) -> None:
        """Write `flyby.json`: files that are served as they are, then routes in matching order."""
        entries = {
            name: one.function.entry_on_disk for one in payload.functions for name in one.routes
        }
        routes = [
            {"route": one.route, "pattern": one.pattern, "entry": entries[one.route]}
            for one in payload.routes
            if one.route in entries
        ]
        told = {"files": list(payload.client_files), "routes": routes}
        (payload.out_dir / "flyby.json").write_text(json.dumps(told, indent=2))
        payload.logger.info("flyby.json: %d entries", len(routes))
