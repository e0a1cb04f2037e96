"""The asgi adapter: one server of its own for a whole site, `python dist/entry.py`."""

from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from routelet_bundler.adapter import (
    Adapter,
    Assets,
    BuildSsr,
    ConfigDone,
    Integration,
    Table,
    option_table,
)

MB = 1024 * 1024
UVICORN = "uvicorn/__init__.py"
"""The file that a function has with uvicorn."""


def _trusted(value: object) -> object:
    """Return true, false, or addresses and networks, such as `10.0.0.0/8`."""
    if isinstance(value, bool):
        return value
    try:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise ValueError(value)
        return tuple(str(one) for one in value if ip_network(one))
    except ValueError:
        raise PydanticCustomError(
            "trusted", "Input should be true, or a list of addresses and networks"
        ) from None


class Options(Table):
    """`[tool.routelet.adapters.asgi]`: `max_body` is in MB."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=65_535)
    trust_proxy: Annotated[bool | tuple[str, ...], PlainValidator(_trusted)] = False
    max_body: int = Field(default=10, ge=1)


def asgi(**options: Any) -> "Asgi":
    """Return the adapter with the options of its table; raises `RouteletError` for faulty ones."""
    return Asgi(option_table(Options, options))


class Asgi(Integration):
    """A site behind one ASGI application, which serves the files of `dist/client` as well."""

    name = "asgi"
    sees_files = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def config_done(self, payload: ConfigDone) -> None:
        """Say what a machine with Python is: this one, without limits."""
        options = self._options
        payload.set_adapter(
            Adapter(
                name=self.name,
                server_entrypoint="routelet.asgi",
                exports=("app",),
                args={
                    "host": options.host,
                    "port": options.port,
                    "trust_proxy": options.trust_proxy,
                    "max_body_bytes": options.max_body * MB,
                },
                supported_features={
                    "static_output": "stable",
                    "hybrid_output": "stable",
                    "server_output": "stable",
                    "assets": Assets(
                        support="stable", is_pillow_compatible=True, is_pyvips_compatible=True
                    ),
                },
                serves_client=True,
            )
        )

    def build_ssr(self, payload: BuildSsr) -> None:
        """Tell where the zip lacks the server that `python entry.py` starts, or there is none."""
        if not payload.functions:
            payload.logger.warning(
                "every page is prerendered, so there is no dist/entry.py: any host of files "
                "serves dist/client"
            )
        if any(UVICORN not in files for files in payload.functions.values()):
            payload.logger.warning(
                'uvicorn is not in the zip: add "uvicorn" to dependencies in pyproject.toml, or '
                "serve entry:app with another server"
            )
