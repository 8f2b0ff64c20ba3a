"""Requests to HTTP endpoints that integrations of APIs make."""

from __future__ import annotations

import pytest
from http_endpoint import Endpoint

from trunkline.aws.execute_api.http import NoAnswer, TimedOut, send
from trunkline.aws.limits import API_PAYLOAD_BYTES_MAX


@pytest.fixture
def endpoint():
    with Endpoint() as endpoint:
        yield endpoint


def call(engine, url, method="POST", headers=(), body=b"", timeout_ms=10_000):
    return send(
        engine._core, url, method=method, headers=list(headers), body=body, timeout_ms=timeout_ms
    )


def test_an_answer_comes_whatever_its_status(engine, endpoint):
    for status in (200, 302, 404, 500):
        endpoint.answer = lambda request, status=status: (status, b"hello")
        answer = call(engine, f"{endpoint.url}/a?b=1", headers=[("X-A", "1"), ("Host", "other")])
        assert (answer.status, answer.body) == (status, b"hello")
        assert ("content-length", "5") in answer.headers
    assert [request.target for request in endpoint.got] == ["/a?b=1"] * 4
    assert endpoint.got[0].headers["x-a"] == "1"
    assert endpoint.got[0].headers["host"] == endpoint.url.removeprefix("http://")


def test_no_answer_says_why(engine, endpoint):
    with pytest.raises(NoAnswer, match="onnect"):
        call(engine, "http://127.0.0.1:1/")
    with pytest.raises(NoAnswer, match=r"URL|gopher"):
        call(engine, "gopher://x/")
    endpoint.answer = lambda request: (200, bytes(API_PAYLOAD_BYTES_MAX + 1))
    with pytest.raises(NoAnswer, match="longer"):
        call(engine, endpoint.url)


def test_a_late_answer_is_none(engine, endpoint):
    import threading

    gate = threading.Event()
    endpoint.answer = lambda request: ((gate.wait(60), 200)[1], b"")
    try:
        with pytest.raises(TimedOut):
            call(engine, endpoint.url, timeout_ms=50)
    finally:
        gate.set()
