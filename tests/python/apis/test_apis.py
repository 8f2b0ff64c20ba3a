"""APIs that a program sets up: routes, what their targets get, and what cannot be a route."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import pytest

import trunkline
import trunkline.aio
from trunkline.errors import InvalidParameterValue


@pytest.fixture
def engine() -> Any:
    with trunkline.open() as opened:
        yield opened


TEXT = '{"tea": "it\'s \\"good\\" & 100 %"}'
"""Quotes, ampersands and percent signs have to come through."""


def test_a_queue_a_topic_and_a_stream_get_the_body_as_it_is(engine):
    orders, told = engine.queue("orders"), engine.queue("told")
    topic = engine.topic("news")
    topic.subscribe(told, raw=True)
    stream = engine.stream("clicks")
    api = engine.api("front")
    api.route("POST /orders", orders).route("POST /news", topic).route("POST /clicks", stream)
    for path in ("/orders", "/news", "/clicks"):
        answer = api.request("POST", path, TEXT)
        assert (answer.status, len(answer.json())) == (202, 1), answer.text()
    assert orders.receive()[0].text() == TEXT
    assert told.receive(wait=20)[0].text() == TEXT
    assert [record.text() for record in stream.read(start="earliest")] == [TEXT]


def test_a_bus_and_a_machine_get_the_body_as_json(engine):
    seen = engine.queue("seen")
    engine.bus().rule("all", {"source": ["front"]}, seen)
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    machine = engine.machine("flow", done)
    api = engine.api("front").route("POST /events", engine.bus()).route("POST /flows", machine)
    assert api.request("POST", "/events", TEXT).status == 202
    event = json.loads(seen.receive(wait=20)[0].text())
    assert (event["detail-type"], event["detail"]) == ("POST /events", json.loads(TEXT))
    started = api.request("POST", "/flows", TEXT)
    assert (started.status, ":execution:flow:" in started.json()["executionArn"]) == (202, True)


def test_a_fifo_queue_needs_a_group(engine):
    orders = engine.queue("orders.fifo")
    api = engine.api("front")
    with pytest.raises(InvalidParameterValue, match="group"):
        api.route("POST /orders", orders)
    api.route("POST /orders", orders, group="$input.path('$.customer')")
    api.request("POST", "/orders", '{"customer": "ann"}')
    assert orders.receive()[0].group == "ann"


@pytest.mark.parametrize("route", ["/orders", "POST orders", "FETCH /x", "post /x", ""])
def test_what_is_no_route_is_refused(engine, route):
    with pytest.raises(InvalidParameterValue, match="route"):
        engine.api("front").route(route, engine.queue("orders"))


def test_a_target_of_another_kind_or_engine_is_refused(engine):
    api = engine.api("front")
    with pytest.raises(TypeError, match="target must be"):
        api.route("GET /", print)
    with trunkline.open() as other, pytest.raises(InvalidParameterValue, match="another engine"):
        api.route("GET /", other.queue("orders"))


def test_a_route_gets_a_new_target(engine):
    first, second = engine.queue("first"), engine.queue("second")
    api = engine.api("front").route("POST /", first).route("POST /", second)
    assert api.request("POST", "/", "x").status == 202
    assert (first.receive(), second.receive()[0].text()) == ([], "x")
    assert api.routes() == ["POST /"]


def test_an_api_is_found_again_and_removed(engine):
    api = engine.api("front").route("POST /", engine.queue("orders"))
    assert engine.api("front").id == api.id
    api.remove()
    assert api.request("POST", "/", "x").status == 403
    assert engine.api("front").routes() == []


def test_an_api_is_served_to_programs_with_an_event_loop():
    async def main():
        async with trunkline.aio.open() as engine:

            async def hello(event, context):
                await asyncio.sleep(0)
                return {"statusCode": 200, "body": "hello " + event["pathParameters"]["name"]}

            api = engine.api("front").route("GET /{name}", engine.function("hello", hello))
            inside = (await api.request("GET", "/ann")).text()
            with api.serve() as served:

                def fetch() -> str:
                    return urllib.request.urlopen(served.url + "/bob", timeout=30).read().decode()

                return inside, await asyncio.to_thread(fetch)

    assert asyncio.run(main()) == ("hello ann", "hello bob")


def test_apis_are_listed_by_name_and_those_of_one_name_by_age(engine):
    for name in ("late", "front", "front-old"):
        engine.api(name)
    elsewhere = engine.api("front", region="eu-west-1")
    assert [api.name for api in engine.apis()] == ["front", "front-old", "late"]
    assert [api.name for api in engine.apis("front")] == ["front", "front-old"]
    assert [api.id for api in engine.apis(region="eu-west-1")] == [elsewhere.id]
    engine.api("front").remove()
    assert [api.name for api in engine.apis("front")] == ["front-old"]
    assert [api.name for api in trunkline.aio.wrap(engine).apis("late")] == ["late"]
    with pytest.raises(TypeError, match="prefix"):
        engine.apis(None)
