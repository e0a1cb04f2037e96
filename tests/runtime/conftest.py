"""Sites made of source text, and the fronts that a request reaches them through."""

import importlib
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import unquote_plus

import pytest

from routelet.app import App
from routelet.aws import create_exports
from routelet.headers import Headers
from routelet.http import Request, Response
from routelet_bundler.discover.names import parse_route
from routelet_bundler.discover.order import in_order
from routelet_bundler.emulator.http_api import Arrival, Gateway, event_of, http_of
from routelet_bundler.emulator.serving import HttpRequest
from routelet_bundler.safe_names import safe_stems

MakeSite = Callable[..., "Site"]


class Site:
    """An App over pages in a folder, asked without a host."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.app = App(manifest)

    def get(self, path: str, **parts: Any) -> Response:
        return self.app.respond(Request(path, **parts))

    def text(self, path: str, **parts: Any) -> str:
        return self.get(path, **parts).text()

    def status(self, path: str, **parts: Any) -> int:
        return self.get(path, **parts).status


@pytest.fixture
def source_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty import root; what is imported from it is forgotten afterwards."""
    before = set(sys.modules)
    root = tmp_path / "src"
    root.mkdir()
    monkeypatch.syspath_prepend(root)
    yield root
    for name in set(sys.modules) - before:
        if name.startswith(("pages", "middleware", "site_templates")):
            del sys.modules[name]


@pytest.fixture
def write(source_root: Path) -> Callable[[str, str], None]:
    """Return a function that writes source text to a file below the import root."""

    def write(file: str, source: str) -> None:
        target = source_root / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(source), encoding="utf-8")
        importlib.invalidate_caches()

    return write


@pytest.fixture
def make_site(write: Callable[[str, str], None]) -> MakeSite:
    """Return a function from page files (below `pages/`) and settings of a manifest to a Site."""

    def make(
        pages: Mapping[str, str],
        *,
        middleware: str | Sequence[str] | None = None,
        prerendered: tuple[str, ...] = (),
        **settings: Any,
    ) -> Site:
        for file, source in pages.items():
            write(f"pages/{file}", source)
        sources = [middleware] if isinstance(middleware, str) else middleware or ()
        for number, source in enumerate(sources):
            name = f"middleware_{number}" if number else "middleware"
            write(f"{name}.py", source)
            settings["middleware"] = (*settings.get("middleware", ()), name)
        stems = safe_stems(pages)
        facts = {
            file: {
                "module": "pages." + stems[file].replace("/", "."),
                "source": f"pages/{file}",
            }
            for file in pages
        }
        wanted = {"404.py": 404, "500.py": 500}
        settings["error_pages"] = {wanted[file]: facts[file] for file in wanted if file in pages}
        addressed = {"base": settings.get("base", "/"),
                     "trailing_slash": settings.get("trailing_slash", "ignore")}  # fmt: skip
        routes = in_order(
            parse_route(file, component=file, prerender=file in prerendered, **addressed)
            for file in pages
        )
        return Site(
            {
                "routes": [
                    {
                        "route": route.route,
                        "pattern": route.pattern,
                        "params": route.params,
                        "component": route.component,
                        "prerender": route.prerender,
                        **facts[route.component or ""],
                    }
                    for route in routes
                ],
                **settings,
            }
        )

    return make


# Event sources: what each front makes of one request, and of what a function returns.

EVENTS: Mapping[str, Any] = {
    path.stem.replace("_", "-"): json.loads(path.read_text())
    for path in (Path(__file__).parents[1] / "fixtures/events").iterdir()
}
PEER = "192.0.2.1"
_ARRIVAL = Arrival(time=datetime(2026, 11, 1, tzinfo=UTC), request_id="r", trace_id="t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as a viewer sends it; `target` is percent-encoded."""

    target: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def lines(self, *left_out: str, **added: str) -> dict[str, list[str]]:
        """Return the values of each header, without some and with the front's own."""
        lines: dict[str, list[str]] = {}
        for name, value in self.headers:
            if name.lower() not in left_out:
                lines.setdefault(name.lower(), []).append(value)
        for name, value in added.items():
            lines[name.replace("_", "-")] = [value]
        return lines

    def queries(self, decode: Callable[[str], str]) -> dict[str, list[str]]:
        queries: dict[str, list[str]] = {}
        for pair in filter(None, self.query.split("&")):
            name, _, value = pair.partition("=")
            queries.setdefault(decode(name), []).append(decode(value))
        return queries

    def body_parts(self) -> dict[str, Any]:
        """Return the body as text where it is some, as fronts do for text types."""
        try:
            return {"body": self.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            return {"body": b64encode(self.body).decode(), "isBase64Encoded": True}

    @property
    def forwarded(self) -> dict[str, str]:
        """What gateways and balancers put in place of the viewer's own, or append to it."""
        claimed = [value for name, value in self.headers if name.lower() == "x-forwarded-for"]
        return {"x_forwarded_for": ", ".join([*claimed, PEER]), "x_forwarded_proto": "https",
                "x_forwarded_port": "443"}  # fmt: skip


def _http_api(sent: Sent, host: str) -> dict[str, Any]:
    own = () if "host" in sent.lines() else (("host", host),)
    headers = (*own, *sent.headers)
    asked = HttpRequest(
        method=sent.method, target=sent.target, headers=headers, body=sent.body, peer=PEER
    )
    return event_of(asked, _ARRIVAL, Gateway(domain_name=host))


def _function_url(sent: Sent, host: str) -> dict[str, Any]:
    """As the HTTP API, but the path is as it was sent, and cookies are in the headers as well."""
    event = _http_api(sent, host)
    cookies = {"cookie": "; ".join(event["cookies"])} if "cookies" in event else {}
    return {**event, "rawPath": sent.path, "headers": {**event["headers"], **cookies}}


def _rest_api(sent: Sent, host: str) -> dict[str, Any]:
    lines = {"host": [host], **sent.lines("content-length", **sent.forwarded)}
    context = EVENTS["rest-api"]["requestContext"]
    queries = sent.queries(unquote_plus) or None
    return {
        **EVENTS["rest-api"],
        "path": sent.path,
        "httpMethod": sent.method,
        "pathParameters": {"proxy": sent.path[1:]},
        "headers": {name: values[-1] for name, values in lines.items()},
        "multiValueHeaders": lines,
        "queryStringParameters": queries and {name: all_[-1] for name, all_ in queries.items()},
        "multiValueQueryStringParameters": queries,
        "requestContext": {**context, "domainName": host, "path": f"/prod{sent.path}",
                           "identity": {**context["identity"], "sourceIp": PEER}},
        **sent.body_parts(),
    }  # fmt: skip


def _alb(sent: Sent, host: str) -> dict[str, Any]:
    return {
        **EVENTS["alb"],
        "path": sent.path,
        "httpMethod": sent.method,
        "multiValueHeaders": {"host": [host], **sent.lines(**sent.forwarded)},
        "multiValueQueryStringParameters": sent.queries(str),
        **sent.body_parts(),
    }


def _alb_single(sent: Sent, host: str) -> dict[str, Any]:
    """Without multi-value headers: the last value of each name."""
    event = _alb(sent, host)
    lines = event.pop("multiValueHeaders")
    queries = event.pop("multiValueQueryStringParameters")
    event["headers"] = {name: values[-1] for name, values in lines.items()}
    event["queryStringParameters"] = {name: values[-1] for name, values in queries.items()}
    return event


def _edge(sent: Sent, host: str) -> dict[str, Any]:
    lines = {"host": [host], **sent.lines()}
    request = {
        "clientIp": PEER,
        "method": sent.method,
        "uri": sent.path,
        "querystring": sent.query,
        "headers": {
            name: [{"key": name.title(), "value": value} for value in values]
            for name, values in lines.items()
        },
        "body": {"action": "read-only", "encoding": "base64", "inputTruncated": False,
                 "data": b64encode(sent.body).decode()},
    }  # fmt: skip
    config = EVENTS["edge"]["Records"][0]["cf"]["config"]
    return {"Records": [{"cf": {"config": config, "request": request}}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a viewer gets."""

    status: int
    headers: Headers
    body: bytes


def _of_http_api(result: Mapping[str, Any]) -> Answer:
    answer = http_of(json.dumps(result).encode())
    return Answer(status=answer.status, headers=Headers(answer.headers), body=answer.body)


def _of_multiple(result: Mapping[str, Any]) -> Answer:
    """REST API (with binary media types */*) and load balancer."""
    lines = result.get("multiValueHeaders")
    pairs = (
        result["headers"].items()
        if lines is None
        else [(name, value) for name, values in lines.items() for value in values]
    )
    body = result["body"]
    return Answer(
        status=result["statusCode"],
        headers=Headers(pairs),
        body=b64decode(body, validate=True) if result["isBase64Encoded"] else body.encode(),
    )


def _of_edge(result: Mapping[str, Any]) -> Answer:
    assert result.keys() <= {"status", "statusDescription", "headers", "body", "bodyEncoding"}
    text = result.get("body", "")
    return Answer(
        status=int(result["status"]),
        headers=Headers(
            (name, line["value"]) for name, lines in result["headers"].items() for line in lines
        ),
        body=b64decode(text) if result.get("bodyEncoding") == "base64" else text.encode(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A front, both ways."""

    name: str
    host: str
    event_of: Callable[[Sent, str], dict[str, Any]]
    answer_of: Callable[[Mapping[str, Any]], Answer]

    @property
    def module(self) -> Any:
        return importlib.import_module(f"routelet.events.{self.name.replace('-', '_')}")

    def event(self, target: str = "/", *, host: str | None = None, **parts: Any) -> dict[str, Any]:
        headers = parts.pop("headers", ())
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        made = self.event_of(Sent(target=target, headers=tuple(pairs), **parts), host or self.host)
        return dict(json.loads(json.dumps(made)))

    def request(self, target: str = "/", **parts: Any) -> Request:
        request: Request = self.module.request_of(self.event(target, **parts))
        return request

    def ask(self, manifest: Mapping[str, Any], target: str = "/", **parts: Any) -> Answer:
        """Return what a viewer gets of the function that has `manifest`."""
        handler: Any = create_exports(manifest, {"front": self.name})["handler"]
        return self.answer_of(json.loads(json.dumps(handler(self.event(target, **parts), None))))


SOURCES: Mapping[str, Source] = {
    key: Source(name=name, host=host, event_of=event, answer_of=answer)
    for key, name, host, event, answer in (
        ("http-api", "http-api", "site.example", _http_api, _of_http_api),
        ("function-url", "function-url", "a.lambda-url.x.on.aws", _function_url, _of_http_api),
        ("rest-api", "rest-api", "site.example", _rest_api, _of_multiple),
        ("alb", "alb", "site.example", _alb, _of_multiple),
        ("alb-single", "alb", "site.example", _alb_single, _of_multiple),
        ("edge", "edge", "site.example", _edge, _of_edge),
    )
}


@pytest.fixture(scope="session")
def sources() -> Mapping[str, Source]:
    """Return every front by its name; the load balancer without multi-value headers is a sixth."""
    return SOURCES


@pytest.fixture(params=[key for key in SOURCES if key != "alb-single"])
def source(request: pytest.FixtureRequest) -> Source:
    """Return each of the five fronts."""
    return SOURCES[request.param]
