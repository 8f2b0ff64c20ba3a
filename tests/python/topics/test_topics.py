"""Topics from Python: publish, subscribe, configure, restart; for threads and for asyncio."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest

import trunkline


@pytest.fixture(params=["memory", "disk"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> trunkline.Engine:
    path = None if request.param == "memory" else tmp_path / "data"
    return trunkline.open(path, clock=trunkline.VirtualClock())


def texts(queue: trunkline.Queue) -> list[str]:
    return [message.text() for message in queue.receive(10)]


def test_a_message_goes_to_every_subscription(engine: trunkline.Engine) -> None:
    topic = engine.topic("orders")
    queues = [engine.queue(f"q{number}") for number in range(20)]
    for queue in queues:
        topic.subscribe(queue)
    published = topic.publish("one coffee", attributes={"state": "paid", "n": 1})
    assert (published.matched, published.delivered, published.duplicate) == (20, 20, False)
    assert published.sequence_number is None
    for queue in queues:
        (message,) = queue.receive()
        assert (message.text(), dict(message.attributes)) == (
            "one coffee",
            {"state": "paid", "n": 1},
        )
        message.delete()
    assert topic.statistics() == {
        "subscriptions": 20,
        "published": 1,
        "delivered": 20,
        "dead_lettered": 0,
        "failed": 0,
    }


def test_filters_select_and_change(engine: trunkline.Engine) -> None:
    topic, paid, large = engine.topic("orders"), engine.queue("paid"), engine.queue("large")
    by_state = topic.subscribe(paid, filter={"state": ["paid"]})
    policy = {"order": {"total": [{"numeric": [">", 100]}]}}
    topic.subscribe(large, filter=json.dumps(policy), filter_scope="body")
    body = json.dumps({"order": {"total": 101}})
    assert topic.publish(body, attributes={"state": "paid"}).matched == 2
    assert topic.publish(body).matched == 1
    assert topic.publish("plain", attributes={"state": "paid"}).matched == 1
    by_state.configure(filter={"state": ["open"]})
    assert topic.publish("plain", attributes={"state": "paid"}).matched == 0
    by_state.configure(filter={})
    assert (topic.publish("plain").matched, by_state.filter) == (1, None)
    by_state.configure(filter=policy, filter_scope="body")
    assert (by_state.filter, by_state.filter_scope) == (policy, "body")
    assert topic.publish("plain").matched == 0


def test_an_envelope_names_topic_and_subscription(engine: trunkline.Engine) -> None:
    topic, queue = engine.topic("orders"), engine.queue("kitchen")
    subscription = topic.subscribe(queue, raw=False)
    published = topic.publish(
        "one 'coffee' é", subject="order", attributes={"n": 1, "raw": b"\x00\x01"}
    )
    (message,) = queue.receive()
    envelope = message.json()
    assert envelope["MessageId"] == published.message_id
    assert (envelope["Message"], envelope["Subject"]) == ("one 'coffee' é", "order")
    assert envelope["TopicArn"] == topic.arn
    assert envelope["UnsubscribeURL"].endswith(subscription.arn)
    assert envelope["MessageAttributes"] == {
        "n": {"Type": "Number", "Value": "1"},
        "raw": {"Type": "Binary", "Value": "AAE="},
    }
    assert dict(message.attributes) == {}
    subscription.configure(raw=True)
    topic.publish("plain")
    assert texts(queue) == ["plain"]
    subscription.configure(raw=False)
    with pytest.raises(trunkline.InvalidParameterValue, match="no UTF-8 text"):
        topic.publish(b"\xff")


def test_a_fifo_topic_orders_and_deduplicates(engine: trunkline.Engine) -> None:
    topic = engine.topic("orders.fifo", content_based_dedup=True)
    fifo, standard = engine.queue("a.fifo"), engine.queue("b")
    topic.subscribe(fifo)
    topic.subscribe(standard)
    numbers = [topic.publish(f"{n}", group="g").sequence_number for n in range(5)]
    assert numbers == sorted(numbers, key=int)
    assert len(set(numbers)) == 5
    again = topic.publish("3", group="g")
    assert (again.duplicate, again.sequence_number, again.delivered) == (True, numbers[3], 0)
    assert texts(fifo) == texts(standard) == ["0", "1", "2", "3", "4"]
    topic.configure(content_based_dedup=False, dedup_scope="group")
    assert topic.settings() == {
        "archive_retention": None,
        "fifo": True,
        "content_based_dedup": False,
        "dedup_scope": "group",
    }
    with pytest.raises(trunkline.InvalidParameterValue, match="ContentBasedDeduplication"):
        topic.publish("6", group="g")
    with pytest.raises(trunkline.MissingParameter, match="MessageGroupId"):
        topic.publish("6", dedup_id="6")


def test_a_batch_reports_each_message(engine: trunkline.Engine) -> None:
    topic, queue = engine.topic("orders"), engine.queue("kitchen")
    topic.subscribe(queue)
    result = topic.publish_batch(
        ["one", "", {"body": "two", "attributes": {"a": "b"}}, {"body": "three", "dedup_id": "x"}]
    )
    assert [one.index for one in result.successful] == [0, 2]
    assert [one.index for one in result.failed] == [1, 3]
    assert texts(queue) == ["one", "two"]
    with pytest.raises(trunkline.InvalidParameterValue, match="no 'bodyy'"):
        topic.publish_batch([{"bodyy": "x"}])  # type: ignore[typeddict-unknown-key]


def test_what_a_queue_does_not_take_is_a_dead_letter(engine: trunkline.Engine) -> None:
    topic, queue, dead = engine.topic("orders"), engine.queue("kitchen"), engine.queue("dead")
    subscription = topic.subscribe(queue, dead_letter=dead)
    assert subscription.dead_letter is not None
    assert subscription.dead_letter.name == "dead"
    queue.remove()
    published = topic.publish("one coffee")
    assert (published.matched, published.delivered) == (1, 0)
    assert (texts(dead), topic.statistics()["dead_lettered"]) == (["one coffee"], 1)
    with pytest.raises(trunkline.ResourceNotFound, match="was removed"):
        _ = subscription.target


def test_a_url_gets_the_envelope() -> None:
    got: SimpleQueue[tuple[str, str]] = SimpleQueue()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            got.put((body, self.headers["x-amz-sns-message-type"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with trunkline.open() as engine:
            topic = engine.topic("orders")
            url = f"http://127.0.0.1:{server.server_port}/hook"
            subscription = topic.subscribe(url, raw=False, retry={"max_attempts": 1})
            assert (subscription.target, subscription.raw) == (url, False)
            topic.publish("one coffee")
            body, kind = got.get(timeout=60)
            assert (json.loads(body)["Message"], kind) == ("one coffee", "Notification")
            subscription.remove()
            assert engine._outbox.destinations() == []
    finally:
        server.shutdown()
        server.server_close()


def test_everything_is_there_after_a_restart_and_in_a_copy(tmp_path: Path) -> None:
    with trunkline.open(tmp_path / "data", clock=trunkline.VirtualClock()) as engine:
        topic = engine.topic("orders.fifo", dedup_scope="group")
        fifo = engine.queue("a.fifo")
        subscription = topic.subscribe(fifo, filter={"a": ["b"]})
        first = topic.publish("one", group="g", dedup_id="1", attributes={"a": "b"})
        arn = subscription.arn
        copy = engine.fork()
        assert [one.arn for one in copy.topic("orders.fifo").subscriptions()] == [arn]
    with trunkline.open(tmp_path / "data", clock=trunkline.VirtualClock()) as engine:
        (topic,) = engine.topics()
        assert topic.settings()["dedup_scope"] == "group"
        (subscription,) = topic.subscriptions()
        assert (subscription.arn, subscription.filter) == (arn, {"a": ["b"]})
        again = topic.publish("one", group="g", dedup_id="1", attributes={"a": "b"})
        assert (again.duplicate, again.sequence_number) == (True, first.sequence_number)
        assert texts(engine.queue("a.fifo")) == ["one"]
        topic.remove()
    with trunkline.open(tmp_path / "data", clock=trunkline.VirtualClock()) as engine:
        assert engine.topics() == []


def test_bad_input_is_refused_by_name(engine: trunkline.Engine) -> None:
    topic, queue = engine.topic("orders"), engine.queue("kitchen")
    invalid = trunkline.InvalidParameterValue
    with pytest.raises(invalid, match='name "a b" of a topic'):
        engine.topic("a b")
    with pytest.raises(invalid, match="no FIFO topic"):
        engine.topic("plain", content_based_dedup=True)
    with pytest.raises(invalid, match="dedup_scope"):
        engine.topic("x.fifo", dedup_scope="queue")  # type: ignore[arg-type]
    with pytest.raises(trunkline.ResourceNotFound, match="create it first"):
        engine.topic("nothing", create=False)
    with pytest.raises(invalid, match="filter_scope"):
        topic.subscribe(queue, filter_scope="header")  # type: ignore[arg-type]
    with pytest.raises(trunkline.InvalidArgument):
        topic.subscribe(queue, filter={"state": "paid"})
    with pytest.raises(invalid, match="starts with https"):
        topic.subscribe("kitchen")
    with pytest.raises(TypeError, match="a StateMachine, a Function, a function, or a URL"):
        topic.subscribe(7)  # type: ignore[arg-type]
    with pytest.raises(invalid, match="only a delivery to a URL"):
        topic.subscribe(queue, retry={"max_attempts": 1})
    with pytest.raises(invalid, match="FIFO queue cannot be subscribed"):
        topic.subscribe(engine.queue("a.fifo"))
    assert topic.subscriptions() == []
    with pytest.raises(invalid, match="Empty message"):
        topic.publish("")
    with pytest.raises(invalid, match="Subject"):
        topic.publish("x", subject="two\nlines")
    with pytest.raises(TypeError, match="entries must be a list of them, not one str"):
        topic.publish_batch("one coffee")
    subscription = topic.subscribe(queue)
    assert repr(subscription) == f"<Subscription of 'orders': {queue.name!r}>"
    with pytest.raises(invalid, match="nothing to change"):
        subscription.configure()
    with pytest.raises(invalid, match="different attributes"):
        topic.subscribe(queue, raw=False)
    topic.remove()
    assert repr(subscription) == "<Subscription of 'orders', removed>"
    for use in (lambda: topic.publish("x"), topic.subscriptions, topic.statistics):
        with pytest.raises(trunkline.ResourceNotFound, match="orders does not exist"):
            use()


def test_asyncio_has_the_same_verbs(tmp_path: Path) -> None:
    async def main() -> None:
        async with trunkline.aio.open(tmp_path / "data") as engine:
            topic, queue = engine.topic("orders.fifo"), engine.queue("a.fifo")
            subscription = await topic.subscribe(queue, raw=False)
            await topic.configure(content_based_dedup=True)
            published = await topic.publish("one", group="g")
            assert (published.matched, topic.fifo) == (1, True)
            (message,) = await queue.receive(wait=20)
            assert message.json()["SequenceNumber"] == published.sequence_number
            await subscription.configure(raw=True)
            batch = await topic.publish_batch([{"body": "two", "group": "h"}, "three"])
            assert (len(batch.successful), len(batch.failed)) == (1, 1)
            assert [one.sync for one in topic.subscriptions()] == [subscription.sync]
            await subscription.remove()
            assert topic.statistics()["subscriptions"] == 0
            assert [one.name for one in engine.topics()] == ["orders.fifo"]
            await topic.remove()

    asyncio.run(main())


def test_a_deduplication_id_of_a_clock_that_was_ahead_is_forgotten_in_time(tmp_path: Path) -> None:
    ahead = trunkline.VirtualClock(1_700_000_000 + 365 * 86_400)
    with trunkline.open(tmp_path, clock=ahead) as engine:
        topic = engine.topic("t.fifo")
        topic.subscribe(engine.queue("q.fifo"))
        topic.publish("first", group="g", dedup_id="a")
    right = trunkline.VirtualClock(1_700_000_000)
    with trunkline.open(tmp_path, clock=right) as engine:
        topic = engine.topic("t.fifo")
        assert topic.publish("again", group="g", dedup_id="a").duplicate
        right.advance(301)
        assert not topic.publish("new", group="g", dedup_id="a").duplicate
        assert texts(engine.queue("q.fifo")) == ["first", "new"]
