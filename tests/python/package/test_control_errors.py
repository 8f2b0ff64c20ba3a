"""Verbs of programs that share their rules with a service of AWS raise errors of this package."""

from __future__ import annotations

import pytest

import trunkline

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


@pytest.mark.parametrize("more", [{}, {"definition": PASS}])
def test_a_name_that_no_machine_has_is_refused_whether_it_is_made_or_found(engine, more):
    with pytest.raises(trunkline.ValidationException, match="Invalid Name: 'x y'"):
        engine.machine("x y", **more)
    with pytest.raises(trunkline.ValidationException, match="Invalid ARN"):
        engine.machine("x", region="no region", **more)


def test_an_api_says_what_it_refuses_and_that_it_is_gone(engine):
    queue, api = engine.queue("orders"), engine.api("shop")
    with pytest.raises(trunkline.InvalidParameterValue, match="API Name cannot be blank"):
        engine.api("")
    with pytest.raises(trunkline.InvalidParameterValue, match="path part"):
        api.route("GET /{a", queue)
    api.remove()
    for call in (api.remove, api.routes, lambda: api.route("GET /a", queue)):
        with pytest.raises(trunkline.ResourceNotFound, match="Invalid API identifier"):
            call()


def test_an_event_source_that_was_removed_is_not_found(engine):
    source = engine.event_source(engine.queue("orders"), engine.function("f", lambda *_: None))
    source.remove()
    for call in (source.remove, source.enable, source.disable):
        with pytest.raises(trunkline.ResourceNotFound):
            call()


def test_an_event_source_takes_a_function_that_has_a_name(engine):
    orders, function = engine.queue("orders"), engine.function("f", lambda *_: None)
    for given in (print, "f", None):
        with pytest.raises(TypeError, match=r"function must be what engine\.function\(\) returns"):
            engine.event_source(orders, given)
    for given in ("orders", None):
        with pytest.raises(TypeError, match="source must be a Queue or a Stream"):
            engine.event_source(given, function)
    with pytest.raises(trunkline.InvalidParameterValue, match="parameter start"):
        engine.event_source(engine.stream("clicks"), function, start="never")
