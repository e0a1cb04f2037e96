"""Attacks on a site behind its middleware, and each again where the check against it is removed.

The zips of a real build run under awslambdaric. What an attack meets first is the edge function,
with a CloudFront event, or the function itself, with the event of its front. A check is removed in
a copy of the zips, whose modules of the runtime are replaced by edited sources.
"""

import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import pytest

from routelet.headers import LOCALS_HEADER
from routelet.http import URL, Request
from routelet.secrets_manager import ENDPOINT_VARIABLE
from routelet.signing import KEY_VARIABLE, LIFETIME_S, MAX_TEXT_BYTES, SKEW_S, Claims, sign
from routelet_bundler import Build, build
from routelet_bundler.emulator import Emulator
from routelet_bundler.emulator.http_api import Arrival, Gateway, event_of
from routelet_bundler.emulator.serving import HttpRequest

RUNTIME = Path(__file__).parents[2] / "runtime"
KEY = "a key of a test, which has more than thirty-two characters"
HOST = "shop.example"
EDGE, SITE = "middleware", "site"

FILES = {
    "pyproject.toml": """[project]
name = "site"
version = "1"

[tool.routelet]
output = "server"
adapter = "aws-lambda"

[tool.routelet.adapters.aws-lambda]
edge-middleware = true
split = "single"
""",
    "src/middleware.py": """from urllib.parse import quote

from routelet import Response

def on_request(ctx, next):
    user = ctx.cookies.get("session")
    path, pattern = ctx.url.path, ctx.route_pattern
    if path == "/admin" or pattern == "/admin" or path.startswith("/reports/"):
        if user != "ada":
            return Response("who are you?", 401)
    ctx.locals["user"] = user
    if path == "/names":
        return next("/names/" + quote(ctx.url.search_params.get("q", ""), safe=""))
    response = next()
    if ctx.url.query:
        response.headers["x-asked"] = ctx.url.search_params.get("q", "")
    return response
""",
    "src/pages/index.py": """def GET(ctx):
    return {"user": ctx.locals.get("user"), "headers": list(ctx.request.headers)}
""",
    "src/pages/admin.py": """def GET(ctx):
    return {"secret": 42, "user": ctx.locals["user"]}

def POST(ctx):
    return {"deleted": True}
""",
    "src/pages/names/[name].py": "def GET(ctx): return {'name': ctx.params['name']}\n",
    "src/pages/reports/[name].py": "def GET(ctx): return {'secret': ctx.params['name']}\n",
}


class Secrets(BaseHTTPRequestHandler):
    """Answers GetSecretValue with the key; signatures are the matter of other tests."""

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["content-length"])))["SecretId"]
        text = json.dumps({"Name": name, "SecretString": KEY}).encode()
        self.send_response(200 if name == EDGE else 400)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def secrets() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Secrets) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    root = tmp_path_factory.mktemp("guarded")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return build(root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A check of the runtime that is removed: in which zips, in which module, and how."""

    module: str
    old: str
    new: str
    zips: tuple[str, ...] = (EDGE, SITE)


@dataclass(slots=True, kw_only=True)
class Guarded:
    """The running functions of a site, and what their logs said."""

    emulator: Emulator
    log: list[str] = field(default_factory=list)

    def _invoke(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        result = self.emulator.invoke(name, event)
        assert not result.function_error, result.payload
        return dict(json.loads(result.payload))

    def at_edge(
        self, target: str, method: str = "GET", headers: tuple[tuple[str, str], ...] = ()
    ) -> dict[str, Any]:
        """Return what CloudFront gets of the edge function."""
        path, _, query = target.partition("?")
        lines: dict[str, list[dict[str, str]]] = {"host": [{"key": "Host", "value": HOST}]}
        for name, value in headers:
            lines.setdefault(name.lower(), []).append({"key": name, "value": value})
        config = {
            "distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request",
            "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
        }
        request = {
            "clientIp": "203.0.113.178",
            "headers": lines,
            "method": method,
            "querystring": query,
            "uri": path,
        }
        return self._invoke(EDGE, {"Records": [{"cf": {"config": config, "request": request}}]})

    def straight(
        self,
        target: str,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        domain: str = "api.execute-api.us-east-1.amazonaws.com",
    ) -> dict[str, Any]:
        """Return what the function answers that is asked without CloudFront."""
        asked = HttpRequest(
            method=method, target=target, headers=(("host", domain), *headers), body=b""
        )
        arrival = Arrival(time=datetime.now(UTC), request_id="r", trace_id="t")
        event = event_of(asked, arrival, Gateway(domain_name=domain))
        if ".lambda-url." in domain:
            event["rawPath"] = target.partition("?")[0]
        return self._invoke(SITE, event)

    def through(
        self, target: str, method: str = "GET", headers: tuple[tuple[str, str], ...] = ()
    ) -> dict[str, Any]:
        """Return what a viewer gets, as {"statusCode": ..., "body": ...}."""
        passed = self.at_edge(target, method, headers)
        if "status" in passed:
            return {"statusCode": int(passed["status"]), "body": passed.get("body", "")}
        query = passed["querystring"]
        lines = tuple(
            (line["key"], line["value"])
            for name, lines in passed["headers"].items()
            for line in lines
            if name != "host"
        )
        target = passed["uri"] + (f"?{query}" if query else "")
        return self.straight(target, passed["method"], lines)

    def token(self, target: str, headers: tuple[tuple[str, str], ...] = ()) -> str:
        """Return the header that the edge makes, as one who sees the function's requests has it."""
        [line] = self.at_edge(target, headers=headers)["headers"][LOCALS_HEADER]
        return str(line["value"])


@pytest.fixture(scope="module")
def guarded(
    built: Build, secrets: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Guarded]]:
    """Return a function from edits to the running site, one for equal edits."""
    running: dict[tuple[Edit, ...], Guarded] = {}
    with ExitStack() as stack:

        def start(*edits: Edit) -> Guarded:
            if edits not in running:
                dist = tmp_path_factory.mktemp("edited")
                _copy(built.out_dir, dist, edits, secrets)
                log: list[str] = []
                emulator = stack.enter_context(Emulator(dist, log=log.append))
                running[edits] = Guarded(emulator=emulator, log=log)
            return running[edits]

        yield start


def _copy(dist: Path, to: Path, edits: tuple[Edit, ...], secrets: str) -> None:
    """Copy a build, the edge function as one of its functions, with what deployment sets."""
    manifest = json.loads((dist / "routelet.json").read_text())
    edge = {**manifest["edgeFunction"], "environment": {ENDPOINT_VARIABLE: secrets}}
    [site] = manifest["functions"]
    functions = [{**site, "environment": {KEY_VARIABLE: KEY}}, edge]
    (to / "client").mkdir()
    (to / "functions").mkdir()
    (to / "routelet.json").write_text(
        json.dumps({**manifest, "functions": functions, "edgeFunction": None})
    )
    for one in functions:
        own = [edit for edit in edits if one["name"] in edit.zips]
        _edited(dist / one["zip"], to / one["zip"], own)


def _edited(source: Path, to: Path, edits: list[Edit]) -> None:
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.module) or (RUNTIME / edit.module).read_text()
        assert text.count(edit.old) == 1, f"{edit.module} has no longer: {edit.old}"
        texts[edit.module] = text.replace(edit.old, edit.new)
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(to, "w") as after:
        for name in before.namelist():
            if name.removesuffix("c") not in texts:
                after.writestr(name, before.read(name))
        for name, text in texts.items():
            after.writestr(name, text)


# What an attacker gains: each function tells whether the attack succeeds.

Attack = Callable[[Guarded], bool]
ADA = (("cookie", "session=ada"),)


def shows_secret(answer: Mapping[str, Any]) -> bool:
    assert answer["statusCode"] in {200, 400, 401, 403, 404, 500}, answer
    return answer["statusCode"] == 200 and "secret" in answer["body"]


def handed_over(text: str) -> tuple[tuple[str, str], ...]:
    return ((LOCALS_HEADER, text),)


def signed_elsewhere(target: str, key: str, locals: dict[str, object], at: float) -> str:
    return sign(Request(URL(path=target)), Claims(locals=locals), key, at)


def forged(site: Guarded) -> bool:
    text = signed_elsewhere("/admin", "another key that is long enough, too", {"user": "ada"},
                            time.time())  # fmt: skip
    return shows_secret(site.straight("/admin", headers=handed_over(text)))


def forged_through_the_edge(site: Guarded) -> bool:
    text = signed_elsewhere("/", "another key that is long enough, too", {"user": "ada"},
                            time.time())  # fmt: skip
    answer = site.through("/", headers=(("X-Routelet-Locals", text),))
    return answer["statusCode"] == 200 and bool(json.loads(answer["body"])["user"] == "ada")


def replayed_for_another_path(site: Guarded) -> bool:
    return shows_secret(site.straight("/admin", headers=handed_over(site.token("/"))))


def replayed_with_another_method(site: Guarded) -> bool:
    text = site.token("/admin", headers=ADA)
    json_type = ("content-type", "application/json")
    answer = site.straight("/admin", "POST", headers=(json_type, *handed_over(text)))
    return bool(answer["statusCode"] == 200)


def replayed_with_another_query(site: Guarded) -> bool:
    text = site.token("/admin?q=1", headers=ADA)
    return shows_secret(site.straight("/admin?q=2", headers=handed_over(text)))


def expired(site: Guarded) -> bool:
    then = time.time() - LIFETIME_S - SKEW_S - 1
    text = signed_elsewhere("/admin", KEY, {"user": "ada"}, then)
    return shows_secret(site.straight("/admin", headers=handed_over(text)))


def encoded(site: Guarded) -> bool:
    return shows_secret(site.through("/%61dmin")) or shows_secret(site.through("/r%65ports/q3"))


def double_encoded(site: Guarded) -> bool:
    return shows_secret(site.through("/%2561dmin"))


def encoded_slash(site: Guarded) -> bool:
    return shows_secret(site.through("/admin%2F"))


def encoded_question_mark(site: Guarded) -> bool:
    return shows_secret(site.through("/admin%3Fx"))


def encoded_slash_before_dots(site: Guarded) -> bool:
    return shows_secret(site.through("/admin%2Fx/.."))


def rewrite_to_an_encoded_slash(site: Guarded) -> bool:
    return shows_secret(site.through("/names?q=../admin"))


def rewrite_to_an_encoded_question_mark(site: Guarded) -> bool:
    return shows_secret(site.through("/names?q=../admin%3F.html"))


def other_case(site: Guarded) -> bool:
    return shows_secret(site.through("/Admin"))


def trailing_slash(site: Guarded) -> bool:
    return shows_secret(site.through("/admin/"))


def double_slash(site: Guarded) -> bool:
    return shows_secret(site.through("//reports/q3"))


def through_the_api(site: Guarded) -> bool:
    return shows_secret(site.straight("/reports/q3"))


def through_the_function_url(site: Guarded) -> bool:
    return shows_secret(site.straight("/reports/q3", domain="abc.lambda-url.us-east-1.on.aws"))


def line_break_in_a_header(site: Guarded) -> bool:
    answer = site.through("/?q=a%0d%0aset-cookie:%20session=ada")
    return "set-cookie" in answer.get("headers", {}).get("x-asked", "")


def other_spelling(site: Guarded) -> bool:
    answer = site.through("/", headers=(("X_Routelet_Locals", "mine"),))
    return "x_routelet_locals" in json.loads(answer["body"])["headers"]


def other_spelling_past_the_edge(site: Guarded) -> bool:
    both = (*handed_over(site.token("/")), ("x_routelet_locals", "mine"))
    return "x_routelet_locals" in json.loads(site.straight("/", headers=both)["body"])["headers"]


def joined_by_a_comma(site: Guarded) -> bool:
    joined = f"{site.token('/admin', headers=ADA)}, v1.0.e30.x"
    return shows_secret(site.straight("/admin", headers=handed_over(joined)))


def sent_twice(site: Guarded) -> bool:
    text = site.token("/admin", headers=ADA)
    both = (("X-Routelet-Locals", "v1.0.e30.x"), (LOCALS_HEADER, text))
    return shows_secret(site.straight("/admin", headers=both))


def overlong(site: Guarded) -> bool:
    locals: dict[str, object] = {"user": "ada", "more": "x" * MAX_TEXT_BYTES}
    text = signed_elsewhere("/admin", KEY, locals, time.time())
    return shows_secret(site.straight("/admin", headers=handed_over(text)))


# The checks, as they are removed.

SIGNATURE = Edit(
    module="routelet/signing.py",
    old='if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):',
    new="if False:",
    zips=(SITE,),
)
EXPIRY = Edit(
    module="routelet/signing.py",
    old="if not -SKEW_S <= int(expiry) - now <= LIFETIME_S + SKEW_S:",
    new="if False:",
    zips=(SITE,),
)
FIELDS = "fields = [VERSION, expiry, request.method, url.canonical_path]"
PATH = Edit(
    module="routelet/signing.py", old=FIELDS, new="fields = [VERSION, expiry, request.method]"
)
METHOD = Edit(
    module="routelet/signing.py", old=FIELDS, new="fields = [VERSION, expiry, url.canonical_path]"
)
QUERY = Edit(module="routelet/signing.py", old="if url.query:", new="if False:")
DROPPED_AT_EDGE = Edit(
    module="routelet/edge.py", old="if not is_locals_header(name)", new="if True", zips=(EDGE,)
)
SET_AT_EDGE = Edit(
    module="routelet/edge.py",
    old='headers[LOCALS_HEADER] = [{"key": LOCALS_HEADER.title(), "value": text}]',
    new='headers.setdefault(LOCALS_HEADER, [{"key": LOCALS_HEADER.title(), "value": text}])',
    zips=(EDGE,),
)
DECODED_AT_EDGE = Edit(
    module="routelet/edge.py",
    old="request.url.canonical_path = received_path(request.raw_path)",
    new="request.url.canonical_path = request.raw_path",
    zips=(EDGE,),
)
AS_RECEIVED = Edit(
    module="routelet/edge.py",
    old="request.url.canonical_path = received_path(request.raw_path)",
    new="pass",
    zips=(EDGE,),
)
DECODED_ONCE = Edit(
    module="routelet/events/http_api.py",
    old="return read(event, path_is_decoded=True)",
    new="return read(event, path_is_decoded=False)",
    zips=(SITE,),
)
REWRITTEN = Edit(
    module="routelet/edge_request.py",
    old="if (received := received_path(path)) != url.canonical_path:",
    new="if False:",
    zips=(EDGE,),
)
CASE = Edit(
    module="routelet/routing.py",
    old="self._compiled = re.compile(self.pattern)",
    new="self._compiled = re.compile(self.pattern, re.IGNORECASE)",
    zips=(SITE,),
)
ROUTES_AT_EDGE = Edit(
    module="routelet/edge.py",
    old="self._app = EdgeApp(manifest)",
    new='self._app = EdgeApp({**manifest, "routes": ()})',
    zips=(EDGE,),
)
SLASHES_AT_EDGE = Edit(
    module="routelet/app.py",
    old="url.canonical_path = self._prefix + path  # what is matched is what a page sees",
    new="pass",
    zips=(EDGE,),
)
ASKED = Edit(
    module="routelet/aws.py",
    old="answer = _answer_behind_middleware(app) if app.has_edge_middleware else app.respond",
    new="answer = app.respond",
    zips=(SITE,),
)
CLOSED = Edit(
    module="routelet/app.py",
    old="if locals is None and self.has_edge_middleware:",
    new="if False:",
    zips=(SITE,),
)
LINE_BREAKS = Edit(
    module="routelet/headers.py",
    old=r'_FORBIDDEN_IN_HEADERS = frozenset("\r\n\0")',
    new="_FORBIDDEN_IN_HEADERS = frozenset()",
)
SPELLINGS = Edit(
    module="routelet/signing.py",
    old='name.lower().replace("_", "-") == LOCALS_HEADER',
    new="name.lower() == LOCALS_HEADER",
)
ONE_VALUE = Edit(
    module="routelet/signing.py",
    old="claims = verify(found[0], request, key, now)",
    new='claims = verify(found[0].partition(",")[0], request, key, now)',
    zips=(SITE,),
)
LAST_VALUE = Edit(
    module="routelet/signing.py",
    old="claims = verify(found[0], request, key, now)",
    new='claims = verify(found[0].rpartition(",")[2], request, key, now)',
    zips=(SITE,),
)
LENGTH = Edit(
    module="routelet/signing.py",
    old="len(text) > MAX_TEXT_BYTES or version",
    new="version",
    zips=(SITE,),
)

ATTACKS: Mapping[str, tuple[Attack, tuple[Edit, ...]]] = {
    "a forged header": (forged, (SIGNATURE,)),
    "a forged header through the edge": (
        forged_through_the_edge, (DROPPED_AT_EDGE, SET_AT_EDGE, SIGNATURE)),
    "a header replayed for another path": (replayed_for_another_path, (PATH,)),
    "a header replayed with another method": (replayed_with_another_method, (METHOD,)),
    "a header replayed with another query": (replayed_with_another_query, (QUERY,)),
    "an expired header": (expired, (EXPIRY,)),
    "an encoded path": (encoded, (DECODED_AT_EDGE,)),
    "a path that is encoded twice": (double_encoded, (DECODED_ONCE, PATH)),
    "an encoded slash": (encoded_slash, (AS_RECEIVED,)),
    "an encoded question mark": (encoded_question_mark, (AS_RECEIVED,)),
    "an encoded slash before dots": (encoded_slash_before_dots, (AS_RECEIVED,)),
    "a rewrite to an encoded slash": (rewrite_to_an_encoded_slash, (REWRITTEN,)),
    "a rewrite to an encoded question mark": (rewrite_to_an_encoded_question_mark, (REWRITTEN,)),
    "a path in another case": (other_case, (CASE,)),
    "a trailing slash": (trailing_slash, (ROUTES_AT_EDGE,)),
    "two slashes": (double_slash, (SLASHES_AT_EDGE,)),
    "the API without CloudFront": (through_the_api, (ASKED, CLOSED)),
    "the function URL without CloudFront": (through_the_function_url, (ASKED, CLOSED)),
    "a line break in a header": (line_break_in_a_header, (LINE_BREAKS,)),
    "a header that a host may mistake": (other_spelling, (SPELLINGS,)),
    "a header that a host may mistake, past the edge": (
        other_spelling_past_the_edge, (SPELLINGS,)),
    "a header joined with another": (joined_by_a_comma, (ONE_VALUE,)),
    "a header sent twice": (sent_twice, (LAST_VALUE,)),
    "an overlong header": (overlong, (LENGTH,)),
}  # fmt: skip


@pytest.mark.parametrize("attack", [attack for attack, _ in ATTACKS.values()], ids=ATTACKS)
def test_it_is_refused(guarded: Callable[..., Guarded], attack: Attack) -> None:
    site = guarded()
    assert not attack(site)
    told = "".join(site.log)
    assert KEY not in told
    assert site.token("/").split(".")[2] not in told


@pytest.mark.parametrize(("attack", "edits"), ATTACKS.values(), ids=ATTACKS)
def test_it_succeeds_where_its_check_is_removed(
    guarded: Callable[..., Guarded], attack: Attack, edits: tuple[Edit, ...]
) -> None:
    assert attack(guarded(*edits))


def test_who_may_come_in_comes_in(guarded: Callable[..., Guarded]) -> None:
    site = guarded()
    for target in ("/admin", "/%61dmin", "/admin/", "/admin?q=a%2Bb+c"):
        answer = site.through(target, headers=ADA)
        assert json.loads(answer["body"]) == {"secret": 42, "user": "ada"}, target
    assert json.loads(site.through("/names?q=a%25b")["body"]) == {"name": "a%b"}
    told = site.through("/?q=a%2Bb+c", headers=ADA)
    assert told["headers"]["x-asked"] == unquote("a%2Bb%20c")
    assert LOCALS_HEADER not in json.loads(told["body"])["headers"]


def test_refusals_are_told_in_the_log_and_not_to_the_viewer(
    guarded: Callable[..., Guarded],
) -> None:
    site = guarded()
    answer = site.straight("/admin", headers=handed_over("v1.1.e30.x"))
    assert (answer["statusCode"], answer["body"]) == (403, "Forbidden")
    assert any(f"{LOCALS_HEADER} refused: not signed" in line for line in site.log)
