"""`redirect-by-host`: requests for one host are sent to another, path and query kept.

Middleware before all other, so that nothing of the site answers under a name that it is not to
have. Only hosts that are listed are sent anywhere, and only to what they are listed with.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from routelet_bundler.adapter import ConfigSetup, Integration
from routelet_bundler.errors import WRONG_USE, RouteletError

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST_AND_PORT = re.compile(rf"({_HOST.pattern})(?::[0-9]{{1,5}})?")
_SOURCE = '''\
"""Redirects by host; made by the integration redirect-by-host."""

from routelet import Response

HOSTS = {hosts!r}


def on_request(ctx, next):
    # Of a page that is prerendered nobody knows yet under which host it is asked for.
    url = ctx.url
    host = None if ctx.is_prerendered else HOSTS.get(url.host.lower().rstrip("."))
    if host is None:
        return next()
    path = str(url).removeprefix(url.origin)
    return Response.redirect(f"{{url.scheme}}://{{host}}{{path}}", 308)
'''


def redirect_by_host(*, hosts: Mapping[str, str] | None = None) -> "RedirectByHost":
    """Return the integration; `hosts` says where each is sent: `{"www.a.org": "a.org"}`.

    A host is matched whatever its port, and one that it is sent to may have a port. Without `hosts`
    it is the site's own with `www.` before it, or without it where the site's has that. Raises
    `RouteletError` for what is no host, and for one that would be sent on.
    """
    return RedirectByHost(None if hosts is None else _checked(hosts))


class RedirectByHost(Integration):
    """Adds middleware that redirects with status 308, which keeps method and body."""

    name = "redirect-by-host"

    def __init__(self, hosts: Mapping[str, str] | None) -> None:
        self._hosts = hosts

    def config_setup(self, payload: ConfigSetup) -> None:
        """Write the middleware and add it."""
        hosts = _of_site(payload.config.site) if self._hosts is None else self._hosts
        if payload.config.output == "static":
            payload.logger.warning(
                'with output = "static" nothing runs on request: no host is redirected'
            )
        file = payload.create_codegen_dir() / "redirect.py"
        file.write_text(_SOURCE.format(hosts=dict(sorted(hosts.items()))), encoding="utf-8")
        payload.add_middleware(entrypoint=file, order="pre")


def _of_site(site: str | None) -> Mapping[str, str]:
    if site is None:
        raise _mistake("it has no hosts, and the site has no URL", "set site, or give it hosts")
    parts = urlsplit(site)
    host = parts.hostname or ""
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    return _checked({other: f"{host}:{parts.port}" if parts.port else host})


def _checked(hosts: Mapping[str, str]) -> Mapping[str, str]:
    """Return the hosts in lower case."""
    lower = {source.lower(): target.lower() for source, target in hosts.items()}
    for source, target in lower.items():
        found = _HOST_AND_PORT.fullmatch(target)
        if not _HOST.fullmatch(source) or found is None:
            raise _mistake(
                f"{source!r}: {target!r} are no hosts",
                "name them as example.com is, without scheme, port and path; the second may have "
                "a port",
            )
        if found[1] in lower:
            raise _mistake(
                f"{source} is sent to {found[1]}, which is sent on itself",
                "name where it is to end",
            )
    return lower


def _mistake(what: str, mend: str) -> RouteletError:
    return RouteletError(what, where="integration redirect-by-host", mend=mend, status=WRONG_USE)
