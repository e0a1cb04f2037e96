"""Events that no host sends: whatever is missing, of another type, or hostile is answered.

`make fuzz` runs these longer.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routelet.aws import SOURCES, create_exports, source_of
from routelet.edge import Key, ViewerRequest
from routelet.events import EventError
from routelet.headers import LOCALS_HEADER
from routelet.http import Request

FOLDER = Path(__file__).parents[1] / "fixtures/events"
EVENTS: Mapping[str, Any] = {
    name: json.loads((FOLDER / f"{name.replace('-', '_')}.json").read_text()) for name in SOURCES
}
HANDLERS: Mapping[str, Any] = {
    name: create_exports({"routes": (), "check_origin": True}, {"front": name})["handler"]
    for name in SOURCES
}
LOST = object()


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything in an event."""
    yield path
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inner:
            yield from places(one, (*path, key))


def changed(event: Any, path: tuple[str | int, ...], value: object) -> Any:
    """Return `event` with another value at `path`, or none at all."""
    if not path:
        return None if value is LOST else value
    event = deepcopy(event)
    inner = event
    for key in path[:-1]:
        inner = inner[key]
    if value is LOST:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return event


texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["%", "%zz", "%00", "\r\n", "//", "/../..", "\ud800", "\ufeff", "é" * 9, "="]),
)
values = st.one_of(
    st.just(LOST),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)
        ),
        max_leaves=5,
    ),
)


@st.composite
def broken(draw: st.DrawFn, name: str) -> Any:
    """Draw an event of a source with one to three things changed."""
    event = EVENTS[name]
    for _ in range(draw(st.integers(1, 3))):
        event = changed(event, draw(st.sampled_from(list(places(event)))), draw(values))
    return event


def check_is_answered(name: str, event: Any) -> None:
    """Check what is read of an event, and that the answer has the form of its source."""
    shape = source_of(event) or name
    module = import_module(f"routelet.events.{shape.replace('-', '_')}")
    try:
        request = module.request_of(event)
    except EventError:
        expected = {400, 413}
    else:
        assert isinstance(request, Request)
        assert (type(request.method), type(request.path)) == (str, str)
        assert (type(request.text()), type(request.url.host)) == (str, str)
        expected = {400, 403, 404, 500}
    result = HANDLERS[name](event, None)
    json.dumps(result)
    assert int(result["status" if shape == "edge" else "statusCode"]) in expected
    headers = result.get("headers") or result.get("multiValueHeaders")
    assert "content-type" in headers


@pytest.mark.parametrize("name", SOURCES)
@given(st.data())
def test_a_broken_event_is_answered_in_the_form_of_its_source(
    name: str, data: st.DataObject
) -> None:
    check_is_answered(name, data.draw(broken(name)))


@pytest.mark.parametrize("name", SOURCES)
def test_an_event_may_lack_any_one_thing(name: str) -> None:
    for path in places(EVENTS[name]):
        check_is_answered(name, changed(EVENTS[name], path, LOST))
        check_is_answered(name, changed(EVENTS[name], path, 7))


@pytest.mark.parametrize("name", SOURCES)
@given(event=values.filter(lambda value: value is not LOST))
@example(event={})
@example(event={"Records": [{"s3": {}}]})
def test_what_is_no_event_at_all_is_a_400(name: str, event: Any) -> None:
    assert source_of(event) is None
    result = HANDLERS[name](event, None)
    assert int(result["status" if name == "edge" else "statusCode"]) == 400


@pytest.mark.parametrize("name", SOURCES)
def test_a_whole_event_is_read(name: str) -> None:
    assert source_of(EVENTS[name]) == name
    result = HANDLERS[name](EVENTS[name], None)
    assert int(result["status" if name == "edge" else "statusCode"]) in {403, 404}


def test_what_was_broken_is_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    HANDLERS["http-api"](changed(EVENTS["http-api"], ("rawPath",), LOST), None)
    assert capsys.readouterr().err == "a broken event: KeyError: 'rawPath'\n"


# The middleware at the edge lets requests go on: as CloudFront takes them, or not at all.


@pytest.fixture(scope="module")
def viewer() -> ViewerRequest:
    made = ViewerRequest({"routes": ()})
    made._key = Key(lambda: "k" * 32, lambda: 0.0)
    return made


def check_goes_on(viewer: ViewerRequest, event: Any) -> None:
    result = viewer.answer(event)
    json.dumps(result)
    if "status" in result:
        assert int(result["status"]) in {400, 431, 500}
        return
    [line] = result["headers"][LOCALS_HEADER]
    assert line["value"].startswith("v1.")
    sent = event["Records"][0]["cf"]["request"]
    assert {**result, "headers": None} == {**sent, "headers": None}


@given(data=st.data())
def test_a_broken_event_at_the_edge_goes_on_or_is_answered(
    viewer: ViewerRequest, data: st.DataObject
) -> None:
    check_goes_on(viewer, data.draw(broken("edge")))


def test_an_event_at_the_edge_may_lack_any_one_thing(viewer: ViewerRequest) -> None:
    for path in places(EVENTS["edge"]):
        for value in (LOST, 7, "\ud800", None, []):
            check_goes_on(viewer, changed(EVENTS["edge"], path, value))
