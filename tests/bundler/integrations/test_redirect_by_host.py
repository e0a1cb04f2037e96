import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from routelet import Request, Response
from routelet.app import App
from routelet.http import URL
from routelet_bundler import RouteletError, build
from routelet_bundler.configure import configure
from routelet_bundler.errors import WRONG_USE
from routelet_bundler.integrations.redirect_by_host import redirect_by_host

Site = Callable[..., Path]

PAGE = {"src/pages/a.json.py": "def GET(ctx): return {'host': ctx.url.host}\n"}
SERVER = 'output = "server"\nadapter = "aws-lambda"'


def factory(hosts: Mapping[str, str]) -> dict[str, str]:
    source = (
        "from routelet_bundler.integrations.redirect_by_host import redirect_by_host\n\n\n"
        f"def redirects():\n    return redirect_by_host(hosts={dict(hosts)!r})\n"
    )
    return {**PAGE, "site_integrations.py": source}


def generated(root: Path) -> Callable[[str], Response]:
    """Return what the middleware of a site answers to a URL; 200 where it goes on."""
    [middleware] = configure(root, "build").injections.middleware
    assert middleware.order == "pre"
    on_request: Any = runpy.run_path(str(middleware.entrypoint))["on_request"]
    app = App({"routes": ()})

    def ask(url: str) -> Response:
        answer = on_request(app._context(Request(url, method="POST")), lambda: Response("went on"))
        assert isinstance(answer, Response)
        return answer

    return ask


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://www.example.com/", "https://example.com/"),
        ("https://www.example.com/a/b?x=1&y=%20", "https://example.com/a/b?x=1&y=%20"),
        ("https://WWW.Example.COM/A", "https://example.com/A"),
        ("https://www.example.com./a", "https://example.com/a"),
        ("https://www.example.com:8443/a", "https://example.com/a"),
        ("http://www.example.com/a", "http://example.com/a"),
        ("https://www.example.com/a%2Fb%20c", "https://example.com/a%2Fb%20c"),
        ("https://www.example.com//evil.org/x", "https://example.com/evil.org/x"),
        ("https://www.example.com/@evil.org", "https://example.com/@evil.org"),
        ("https://www.example.com/?next=https://evil.org", None),
        ("https://example.com/", "went on"),
        ("https://evil.org/", "went on"),
        ("https://www.example.com.evil.org/", "went on"),
        ("https://xwww.example.com/", "went on"),
        ("https://m.example.org/x", "https://mobile.example.org:8443/x"),
    ],
)
def test_a_listed_host_is_sent_on_and_no_other(
    site_with: Site, url: str, location: str | None
) -> None:
    hosts = {"WWW.example.com": "example.com", "m.example.org": "mobile.example.org:8443"}
    ask = generated(site_with(factory(hosts), "site_integrations:redirects", options=SERVER))
    answer = ask(url)
    if location == "went on":
        assert (answer.status, answer.text()) == (200, "went on")
        return
    assert answer.status == 308
    to = answer.headers["location"]
    assert location in {to, None}
    assert URL(to).host in {"example.com", "mobile.example.org"}


@pytest.mark.parametrize(
    ("site", "asked", "sent"),
    [
        ("https://example.com", "https://www.example.com/a", "https://example.com/a"),
        ("https://www.example.com", "https://example.com/a", "https://www.example.com/a"),
        ("http://Example.com:8080/x", "http://www.example.com/a", "http://example.com:8080/a"),
    ],
)
def test_by_itself_it_knows_the_host_of_the_site(
    site_with: Site, site: str, asked: str, sent: str
) -> None:
    ask = generated(site_with(PAGE, "redirect-by-host", options=SERVER, site=site))
    assert ask(asked).headers["location"] == sent
    assert ask(sent).text() == "went on"


def test_by_itself_it_needs_the_host_of_the_site(site_with: Site) -> None:
    with pytest.raises(RouteletError, match="has no hosts, and the site has no URL") as told:
        configure(site_with(PAGE, "redirect-by-host", options=SERVER, site=None), "build")
    assert told.value.status == WRONG_USE


@pytest.mark.parametrize(
    ("hosts", "what"),
    [
        ({"https://a.org": "b.org"}, "are no hosts"),
        ({"a.org": "https://b.org"}, "are no hosts"),
        ({"a.org": "b.org/path"}, "are no hosts"),
        ({"a.org": "user@b.org"}, "are no hosts"),
        ({"a.org": "b.org\r\nx: y"}, "are no hosts"),
        ({"a.org:80": "b.org"}, "are no hosts"),
        ({"": "b.org"}, "are no hosts"),
        ({"a.org": "A.org"}, "a.org is sent to a.org, which is sent on itself"),
        ({"a.org": "b.org", "b.org": "c.org"}, "a.org is sent to b.org, which is sent on itself"),
    ],
)
def test_what_is_no_host_or_goes_in_circles_is_refused(hosts: dict[str, str], what: str) -> None:
    with pytest.raises(RouteletError, match=what) as told:
        redirect_by_host(hosts=hosts)
    assert told.value.status == WRONG_USE


def test_a_page_that_is_prerendered_stays_as_it_is(
    site_with: Site, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = {"localhost": "example.org", "example.com": "example.org"}
    root = site_with(factory(hosts), "site_integrations:redirects")
    build(root)
    assert (root / "dist/client/a.json").read_text() == '{"host":"example.com"}'
    assert "nothing runs on request: no host is redirected" in caplog.text
