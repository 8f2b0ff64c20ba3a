"""The operator's verbs on an engine in the process."""

from __future__ import annotations

import json

import pytest

import trunkline
from trunkline import admin


@pytest.fixture
def engine():
    with trunkline.open(clock=trunkline.VirtualClock()) as engine:
        yield engine


def names(page):
    return [item["name"] for item in page["items"]]


def test_pages_of_a_list_join_to_the_whole(engine):
    for number in range(7):
        engine.queue(f"q{number}")
    engine.queue("q3", region="eu-west-1")
    found, after = [], None
    for _ in range(4):
        more = {} if after is None else {"after": after}
        page = admin.run(engine, "queues", {"limit": 2, **more})
        assert (page["total"], len(page["items"])) == (8, 2)
        found += [(item["region"], item["name"]) for item in page["items"]]
        after = page.get("next")
    assert after is None
    assert found == [("eu-west-1", "q3"), *(("us-east-1", f"q{n}") for n in range(7))]
    assert names(admin.run(engine, "queues", {"prefix": "q6"})) == ["q6"]


def test_a_message_goes_in_and_out_as_it_was(engine):
    engine.queue("orders")
    options = {"queue": "orders", "attributes": {"kind": "a", "raw": {"base64": "/w=="}}}
    sent = admin.run(engine, "send", {**options, "body_base64": "/wA="})
    peeked = admin.run(engine, "peek", {"queue": "orders"})["messages"][0]
    assert (peeked["message_id"], peeked["body_base64"]) == (sent["message_id"], "/wA=")
    assert peeked["attributes"] == options["attributes"]
    found = admin.run(engine, "receive", {"queue": "orders"})["messages"][0]
    admin.run(engine, "extend", {"queue": "orders", "receipt": found["receipt"],
                                 "visibility_timeout": 0})  # fmt: skip
    again = admin.run(engine, "receive", {"queue": "orders", "delete": True})["messages"][0]
    assert again["receive_count"] == 2
    assert engine.queue("orders").statistics().total == 0


def test_attributes_with_a_type_of_their_own_go_out_and_in_as_they_were(engine):
    attributes = {"price": ("Number.cents", "250"), "raw": ("Binary.gif", b"\xff")}
    engine.queue("orders").send("one", attributes=attributes)
    row = admin.run(engine, "peek", {"queue": "orders"})["messages"][0]
    engine.queue("copy")
    admin.run(engine, "send", {"queue": "copy", "body": "one", "attributes": row["attributes"]})
    assert engine.queue("copy").peek()[0].attributes == attributes


def test_a_search_looks_into_bodies_and_attributes(engine):
    queue = engine.queue("orders")
    queue.send("one coffee")
    queue.send("two teas", attributes={"note": "no coffee"})
    queue.send("three")
    found = admin.run(engine, "peek", {"queue": "orders", "search": "coffee", "max": 1})
    assert (found["found"], len(found["messages"])) == (2, 1)


def test_dead_letters_go_back(engine):
    dead = engine.queue("dead")
    orders = engine.queue("orders", dead_letter="dead", max_receive_count=1)
    orders.send("one coffee")
    orders.receive(visibility_timeout=0)
    assert orders.receive() == []
    assert dead.statistics().visible == 1
    assert admin.run(engine, "redrive", {"queue": "dead"})["total"] == 1
    engine.clock.advance(10)
    task = admin.run(engine, "redrive-tasks", {"queue": "dead"})["tasks"][0]
    assert (task["status"], task["moved"]) == ("COMPLETED", 1)
    settings = admin.run(engine, "settings", {"queue": "dead"})
    assert settings["dead_letter_sources"] == ["orders"]


def test_topics_buses_and_streams_answer(engine):
    for kind, name in (("queue", "q"), ("topic", "news"), ("stream", "clicks"), ("bus", "shop")):
        assert admin.run(engine, "create", {"kind": kind, "name": name})["name"] == name
    admin.run(engine, "subscribe", {"topic": "news", "queue": "q", "raw": True})
    assert admin.run(engine, "subscriptions", {"topic": "news"})["subscriptions"][0]["raw"]
    admin.run(engine, "publish", {"topic": "news", "body": "hello"})
    assert engine.queue("q").receive()[0].text() == "hello"
    put = admin.run(engine, "put-record", {"stream": "clicks", "key": "k", "data": "home"})
    record = admin.run(engine, "records", {"stream": "clicks"})["records"][0]
    assert (record["data"], record["sequence"]) == ("home", put["sequence"])
    assert admin.run(engine, "records", {"stream": "clicks", "after": put["sequence"]}) == {
        "records": []
    }
    assert admin.run(engine, "shards", {"stream": "clicks"})["shards"][0]["open"]
    engine.bus("shop").rule(
        "big", {"detail": {"total": [{"numeric": [">", 9]}]}}, engine.queue("q")
    )
    event = {"source": "a", "detail-type": "b", "detail": {"total": 1}}
    why = admin.run(engine, "explain", {"bus": "shop", "event": event})["rules"]["big"]
    assert (why["matched"], "total" in json.dumps(why)) == (False, True)
    assert admin.run(engine, "rules", {"bus": "shop"})["rules"][0]["name"] == "big"
    assert admin.run(engine, "put", {"bus": "shop", "event": event})["event_id"]
    pattern = {"pattern": {"source": ["a"]}, "event": event}
    assert admin.run(engine, "match", pattern)["matched"] is True


def test_machines_and_their_executions_are_shown(engine):
    done = {"Type": "Pass", "Result": "done", "End": True}
    machine = engine.machine("orders", {"StartAt": "Done", "States": {"Done": done}})
    assert admin.run(engine, "machines", {})["items"][0]["executions"] == {}
    started = admin.run(engine, "start", {"machine": "orders", "input": {"a": 1}})
    machine.execution(started["name"]).wait(timeout=30)
    row = admin.run(engine, "machines", {})["items"][0]
    assert (row["name"], row["executions"]) == ("orders", {"SUCCEEDED": 1})
    listed = admin.run(engine, "executions", {"machine": "orders"})["items"]
    assert [one["status"] for one in listed] == ["SUCCEEDED"]
    told = admin.run(engine, "execution", {"machine": "orders", "name": started["name"]})
    assert (told["output"], told["definition"]["StartAt"]) == ("done", "Done")
    assert told["history"]


def test_functions_and_buckets_are_shown(engine):
    engine.function("hello", lambda event, context: f"hello {event}")
    assert names(admin.run(engine, "functions", {})) == ["hello"]
    told = admin.run(engine, "invoke", {"function": "hello", "event": "you"})
    assert told == {"output": "hello you"}
    bucket = engine.bucket("uploads")
    for key in ("a/1", "a/2", "b"):
        bucket.put(key, b"1234")
    assert admin.run(engine, "buckets", {})["items"][0]["bytes"] == 12
    listed = admin.run(engine, "objects", {"bucket": "uploads", "delimiter": "/"})["items"]
    assert [one.get("prefix") or one.get("key") for one in listed] == ["a/", "b"]
    listed = admin.run(engine, "objects", {"bucket": "uploads", "limit": 2})
    assert (len(listed["items"]), listed["more"]) == (2, True)


def test_stats_tell_resources_messages_and_the_clock(engine):
    engine.queue("orders").send("a")
    engine.clock.advance(5)
    told = admin.run(engine, "stats", {})
    assert told["resources"]["queues"] == 1
    assert (told["messages"]["visible"], told["messages"]["oldest_age"]) == (1, 5.0)
    assert told["journal"] is None
    before = told["now"]
    assert admin.run(engine, "advance", {"seconds": 60})["now"] == before + 60


def test_a_trace_is_told(engine):
    engine.tracing.set("on")
    sent = engine.queue("orders").send("a")
    told = admin.run(engine, "trace", {"id": sent.message_id})
    assert [entry["what"] for entry in told["entries"]] == ["accepted"]


@pytest.mark.parametrize(
    ("verb", "arguments", "text"),
    [
        ("sned", {}, "did you mean 'send'"),
        ("send", {"queu": "a"}, "no argument 'queu'"),
        ("send", {}, "needs the argument 'queue'"),
        ("send", {"queue": "a"}, "Give body, or body_base64"),
        ("send", {"queue": "a", "body": 1}, "body must be a string"),
        ("send", {"queue": "a", "body_base64": "?"}, "is not Base64"),
        ("send", {"queue": "a", "body": "x", "attributes": []}, "attributes must be an object"),
        ("peek", {"queue": "a", "max": 10**6}, "max must be an int from 1 to"),
        ("receive", {"queue": "a", "wait": 60}, "wait must be from 0 to 20"),
        ("queues", {"limit": 0}, "limit must be"),
        ("create", {"kind": "planet", "name": "a"}, "kind must be one of"),
        ("create", {"kind": "queue", "name": "b", "options": {"nope": 1}}, "nope"),
        ("records", {"stream": "a", "wait": 60}, "wait must be from 0"),
        ("peek", {"queue": "nope"}, "There is no queue 'nope'"),
    ],
)
def test_a_mistake_is_named(engine, verb, arguments, text):
    engine.queue("a")
    with pytest.raises(trunkline.TrunklineError) as caught:
        admin.run(engine, verb, arguments)
    assert text in str(caught.value)


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"1", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(engine, body):
    with pytest.raises(trunkline.InvalidArgument):
        admin.operate(engine, "queues", body)


def test_every_verb_says_what_it_does():
    table = admin.verbs()
    assert len(table) > 30
    assert all(function.__doc__ for function in table.values())


def test_what_reports_say_is_plain_data(engine):
    engine.tracing.set("on")
    dead = engine.queue("dead")
    engine.queue("orders", dead_letter="dead", max_receive_count=1)
    sent = dead.send("a")
    told = json.loads(json.dumps(engine.trace(sent.message_id).as_dict()))
    assert told["entries"][0]["what"] == "accepted"
    assert json.loads(json.dumps(engine.tracing.statistics().as_dict()))["entries"] > 0
    task = json.loads(json.dumps(dead.start_redrive("orders").as_dict()))
    assert (task["total"], task["failure"]) == (1, None)


@pytest.mark.parametrize(
    ("verb", "arguments", "name"),
    [
        ("send", {"queue": "orders", "body": "a", "attributes": {"x": {"y": 1}}}, "'x'"),
        ("send", {"queue": "orders", "body": "a", "attributes": {"x": {"base64": 1}}}, "'x'"),
        ("send", {"queue": "orders", "body": "a", "attributes": {"x": {"base64": "!"}}}, "'x'"),
        ("send", {"queue": "orders", "body": "a", "attributes": {"x": {"type": "T"}}}, "'x'"),
        ("send", {"queue": "orders", "messages": "abc"}, "messages"),
        ("send", {"queue": "orders", "messages": [None]}, "messages"),
        ("peek", {"queue": "orders", "search": 5}, "search"),
        ("peek", {"queue": "orders", "search": "a", "max": -1}, "max"),
        ("peek", {"queue": "orders", "max": None}, "max"),
        ("receive", {"queue": "orders", "wait": "1"}, "wait"),
        ("receive", {"queue": "orders", "delete": "no"}, "delete"),
        ("records", {"stream": "clicks", "start": -(2**63)}, "start"),
        ("records", {"stream": "clicks", "max": True}, "max"),
        ("executions", {"machine": "steps", "limit": -1}, "limit"),
        ("replay", {"archive": "past", "rules": [5]}, "rules"),
    ],
)
def test_an_argument_of_a_wrong_form_is_named(engine, verb, arguments, name):
    queue = engine.queue("orders")
    queue.send("one")
    engine.stream("clicks")
    engine.machine("steps", {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    with pytest.raises(trunkline.InvalidArgument, match=name):
        admin.operate(engine, verb, json.dumps(arguments).encode())
    assert queue.statistics().visible == 1
