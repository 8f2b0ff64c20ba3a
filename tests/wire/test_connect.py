"""``trunkline.connect``: the engine of another process."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from http_endpoint import Endpoint

import trunkline
from trunkline.server import Server


@pytest.fixture
def remote(server):
    with trunkline.connect(server.url) as remote:
        yield remote


def test_a_message_goes_through_both_ends(engine, remote):
    queue = remote.queue("orders", visibility_timeout=60)
    assert engine.queue("orders").settings()["visibility_timeout"] == 60
    sent = queue.send("one coffee", attributes={"kind": "hot", "n": 3, "raw": b"\xff"})
    with engine.queue("orders").receive()[0] as message:
        assert (message.text(), message.message_id) == ("one coffee", sent.message_id)
        assert dict(message.attributes) == {"kind": "hot", "n": 3, "raw": b"\xff"}
    engine.queue("orders").send("two teas", attributes={"kind": "cold"})
    with queue.receive()[0] as message:
        assert (message.text(), message.attributes) == ("two teas", {"kind": "cold"})
        assert (message.receive_count, message.queue_name) == (1, "orders")
    assert queue.statistics().visible == 0
    assert engine.queue("orders").statistics().total == 0


def test_what_is_told_of_messages_is_what_the_process_tells(engine, remote):
    own = engine.queue("orders", dead_letter=engine.queue("dead"), max_receive_count=1)
    queue = remote.queue("orders", create=False)
    attributes = {"n": 3, "half": 0.5, "raw": b"\xff", "price": ("Number.cents", "250")}
    queue.send("one", attributes=attributes)
    assert own.peek()[0].attributes == attributes
    assert own.send(b"\xff", attributes=attributes)
    for mine, theirs in zip(own.peek(10), queue.peek(10), strict=True):
        names = ("body", "message_id", "attributes", "receive_count", "sent_at", "group",
                 "dedup_id", "sequence_number", "first_received_at", "queue_name")  # fmt: skip
        for name in names:
            assert getattr(mine, name) == getattr(theirs, name), name
        assert theirs.as_dict() == mine.as_dict()
    told = (own.statistics(), queue.statistics())
    assert {(one.visible, one.in_flight, one.delayed, one.total) for one in told} == {(2, 0, 0, 2)}
    # The bytes that are no text travel as U+FFFD to clients of SQS: they are left out here.
    received = {one.message_id: one for one in queue.receive(10, visibility_timeout=0)}
    (first,) = [one for one in own.peek(10) if one.body == b"one"]
    assert received[first.message_id].as_dict() == first.as_dict()
    assert (own.receive(10), queue.receive()) == ([], [])
    (letter,) = [one for one in remote.queue("dead").receive(10) if one.body == b"one"]
    assert (letter.dead_letter_source, letter.attributes) == ("orders", attributes)
    for wrong in ({"a": True}, {"a": ("Odd", "x")}, {"a": ""}):
        with pytest.raises((TypeError, trunkline.InvalidParameterValue)):
            queue.send("x", attributes=wrong)


def test_a_block_that_fails_gives_the_message_back(remote):
    queue = remote.queue("orders")
    queue.send_json({"a": 1})
    with pytest.raises(RuntimeError), queue.receive()[0]:
        raise RuntimeError
    again = queue.receive()[0]
    assert (again.json(), again.receive_count) == ({"a": 1}, 2)


def test_a_fifo_queue_keeps_groups_and_ids(remote):
    queue = remote.queue("orders.fifo", content_based_dedup=True)
    sent = queue.send("a", group="g", dedup_id="1")
    assert queue.send("b", group="g", dedup_id="1").message_id == sent.message_id
    message = queue.receive()[0]
    assert (message.group, message.dedup_id) == ("g", "1")
    assert message.sequence_number == sent.sequence_number


def test_batches_and_iteration(remote):
    queue = remote.queue("orders")
    sent = queue.send_batch(map(str, range(25)))
    assert (len({one.message_id for one in sent.successful}), sent.failed) == (25, ())
    seen = []
    for message in queue.messages(wait=0):
        seen.append(int(message.text()))
        message.delete()
    assert sorted(seen) == list(range(25))


def test_a_receive_waits_for_a_message(remote, engine):
    queue = remote.queue("orders")
    found = []
    waiting = threading.Thread(target=lambda: found.extend(queue.receive(wait=20)))
    waiting.start()
    engine.queue("orders").send("late")
    waiting.join(30)
    assert [message.text() for message in found] == ["late"]


def test_topics_buses_and_streams(remote, engine):
    queue = remote.queue("q")
    topic = remote.topic("news")
    topic.subscribe(queue, raw=True)
    topic.publish("hello", attributes={"a": "b"})
    assert queue.receive()[0].text() == "hello"
    assert len(topic.subscriptions()) == 1
    stream = remote.stream("clicks", shards=2)
    put = stream.put(b"\xff", key="k")
    record = stream.read()[0]
    assert (record.data, record.shard, record.key) == (b"\xff", put.shard, "k")
    assert record.as_dict() == engine.stream("clicks").read()[0].as_dict()
    assert stream.read(after=put.sequence) == []
    bus = remote.bus()
    engine.bus().rule("all", {"source": ["a"]}, engine.queue("q"))
    assert [rule.name for rule in bus.rules()] == ["all"]
    event = {"source": "a", "detail-type": "b", "detail": {}}
    assert bus.explain(event)["all"].matched is True
    assert len(bus.put(event).event_id) == 36
    for thing in (topic, stream, queue):
        thing.remove()
    assert (engine.topics(), engine.streams(), engine.queues()) == ([], [], [])


def test_regions_are_apart(server, engine):
    remote = trunkline.connect(server.url, account="111122223333", region="eu-west-1")
    remote.queue("orders").send("a")
    assert engine.queues() == []
    assert engine.queue(
        "orders", account="111122223333", region="eu-west-1", create=False
    ).statistics().visible == 1  # fmt: skip
    assert [queue.name for queue in remote.queues()] == ["orders"]
    assert remote.queue("orders").receive()[0].text() == "a"


def test_errors_are_the_library_s_own(remote):
    with pytest.raises(trunkline.QueueDoesNotExist):
        remote.queue("nope", create=False)
    queue = remote.queue("orders")
    with pytest.raises(trunkline.QueueNameExists):
        remote.queue("orders", delay=10)
    with pytest.raises(TypeError, match="send_json"):
        queue.send({"a": 1})
    with pytest.raises(trunkline.ReceiptHandleIsInvalid):
        queue.delete("nonsense")
    queue.remove()
    with pytest.raises(trunkline.QueueDoesNotExist):
        queue.send("a")
    with pytest.raises(trunkline.UnsupportedOperation, match="snapshot of an engine"):
        remote.snapshot("copy")
    with pytest.raises(AttributeError):
        _ = remote.nonsense


def test_nothing_that_answers_is_said_so():
    with pytest.raises(trunkline.TrunklineError, match="does not answer") as caught:
        trunkline.connect("http://127.0.0.1:9")
    assert caught.value.code == "ServerUnreachable"
    with pytest.raises(trunkline.TrunklineError, match="no address of a server"):
        trunkline.connect("127.0.0.1:4566")


def test_a_token_is_sent(engine):
    with Server(engine, port=0, admin_token="secret") as server:
        with pytest.raises(trunkline.TrunklineError, match="admin token"):
            trunkline.connect(server.url)
        trunkline.connect(server.url, token="secret").queue("orders").send("a")


def test_a_connection_that_the_server_closed_is_made_again(engine):
    with Server(engine, port=0) as server:
        address = server.address
        remote = trunkline.connect(server.url)
        queue = remote.queue("orders")
        queue.send("a")
    with Server(engine, port=address[1]):
        queue.send("b")
    assert engine.queue("orders").statistics().visible == 2


def test_threads_share_a_connection_object(remote, engine):
    queue = remote.queue("orders")

    def send():
        for number in range(20):
            queue.send(str(number))
        remote.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert engine.queue("orders").statistics().visible == 80


def test_a_coroutine_is_a_client_too(engine, server):
    async def main():
        async with await trunkline.aio.connect(server.url) as remote:
            queue = await remote.queue("orders")
            waiting = asyncio.create_task(queue.receive(wait=20))
            await queue.send_json({"a": 1}, attributes={"kind": "hot"})
            async with (await waiting)[0] as message:
                assert (message.json(), message.attributes) == ({"a": 1}, {"kind": "hot"})
            topic = await remote.topic("news")
            await topic.subscribe(queue, raw=True)
            await topic.publish("hello")
            seen = []
            async for message in queue.messages(wait=0):
                async with message:
                    seen.append(message.text())
            with pytest.raises(trunkline.QueueDoesNotExist):
                await remote.queue("nope", create=False)
            return seen, [one.name for one in await remote.queues()]

    assert asyncio.run(main()) == (["hello"], ["orders"])
    assert engine.queue("orders").statistics().total == 0


def test_a_state_machine_runs_there(remote, engine):
    done = {"Type": "Pass", "End": True}
    definition = {"StartAt": "Done", "States": {"Done": done}}
    machine = remote.machine("orders", definition)
    assert engine.machine("orders").name == "orders"
    first = machine.start({"a": 1}, name="first").wait(timeout=60)
    assert (first.name, first.status, first.output) == ("first", "SUCCEEDED", {"a": 1})
    own = engine.machine("orders").execution("first")
    assert (first.input, first.error, first.history()) == (own.input, own.error, own.history())
    waits = {"Type": "Wait", "Seconds": 600, "End": True}
    machine = remote.machine("orders", {"StartAt": "W", "States": {"W": waits}})
    waiting = machine.start()
    assert waiting.wait(timeout=0).status == "RUNNING"
    waiting.stop(cause="enough")
    assert (waiting.status, machine.execution(waiting.name).cause) == ("ABORTED", "enough")
    found = [(one.status, one.output) for one in machine.executions()]
    assert found == [("ABORTED", None), ("SUCCEEDED", {"a": 1})]
    assert [one.name for one in machine.executions("SUCCEEDED")] == ["first"]
    with pytest.raises(trunkline.NotFound):
        machine.execution("none")
    machine.remove()
    with pytest.raises(trunkline.NotFound):
        remote.machine("orders")


def test_a_state_machine_runs_there_for_coroutines(server):
    async def main():
        async with await trunkline.aio.connect(server.url) as remote:
            waits = {"Type": "Wait", "Seconds": 600, "End": True}
            machine = await remote.machine("orders", {"StartAt": "W", "States": {"W": waits}})
            one = await machine.start({"a": 1}, name="first")
            assert (one.name, one.status, one.input, one.output) == (
                "first", "RUNNING", {"a": 1}, None,
            )  # fmt: skip
            assert (await one.wait(timeout=0)).status == "RUNNING"
            await one.stop(error="Enough")
            assert (one.status, one.error) == ("ABORTED", "Enough")
            assert (await one.history())[-1]["type"] == "ExecutionAborted"
            (found,) = await machine.executions()
            assert (found.status, (await found.refresh()).input) == ("ABORTED", {"a": 1})

    asyncio.run(main())


def test_a_certificate_of_the_servers_own_is_trusted_by_its_file(engine, tmp_path, monkeypatch):
    from trunkline._core import make_certificate

    certificate = make_certificate(["localhost", "127.0.0.1"])
    path = tmp_path / "tls-cert.pem"
    path.write_text(certificate[0])
    with Server(engine, port=0, certificate=certificate) as server:
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        with pytest.raises(trunkline.ServerUnreachable, match="set AWS_CA_BUNDLE to the cert"):
            trunkline.connect(server.url)
        with pytest.raises(trunkline.ServerUnreachable, match="at https://"):
            trunkline.connect(server.url.replace("https", "http"))
        monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        with trunkline.connect(server.url) as remote:
            remote.queue("orders").send("one")
        assert engine.queue("orders").receive()[0].text() == "one"
        for wrong in ("none.pem", "empty.pem"):
            (tmp_path / "empty.pem").touch()
            monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / wrong))
            with pytest.raises(trunkline.InvalidParameterValue, match=wrong):
                trunkline.connect(server.url)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://a:b", "http://a b:1", "http://a\0", f"http://{'x' * 300}"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(trunkline.InvalidArgument, match="no address of a server"):
        trunkline.connect(url)


@pytest.mark.parametrize("password", ["s3cret", "s3cret/", "[s3cret"])
def test_a_password_in_an_address_is_refused_and_not_repeated(password):
    with pytest.raises(trunkline.InvalidArgument, match="token") as caught:
        trunkline.connect(f"http://me:{password}@127.0.0.1:1")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("token", ["a\nb", "caf\u00e9", "\ud800"])
def test_a_token_that_no_header_can_hold_is_refused(server, token):
    with pytest.raises(trunkline.InvalidArgument, match="token must be"):
        trunkline.connect(server.url, token=token)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b""), (200, b"[]"), (200, b"{}"), (200, b"[" * 100_000), (302, b"{}")],
)
def test_another_kind_of_server_is_told_apart(status, body):
    unlike = pytest.raises(trunkline.ServerUnreachable, match="no server of Trunkline")
    with Endpoint(lambda request: (status, body)) as endpoint, unlike:
        trunkline.connect(endpoint.url)


def test_a_failure_of_another_kind_of_server_is_an_error_of_its_status():
    failing = Endpoint(lambda request: (500, b"[1]"))
    with failing as endpoint, pytest.raises(trunkline.TrunklineError) as caught:
        trunkline.connect(endpoint.url)
    assert caught.value.code == "Status500"


def test_content_that_is_no_text_and_no_bytes_is_refused(remote, engine):
    topic, stream = remote.topic("news"), remote.stream("clicks")
    with pytest.raises(TypeError, match="not int"):
        topic.publish(5)
    with pytest.raises(TypeError, match="not int"):
        stream.put(5, key="a")
    assert not engine.stream("clicks").read()


def test_parts_of_a_second_are_rounded_up(clock, remote, engine):
    queue = remote.queue("orders")
    queue.send("a", delay=0.5)
    assert engine.queue("orders").statistics().delayed == 1
    for wrong in ("1", float("nan"), float("inf")):
        with pytest.raises(trunkline.InvalidArgument, match="delay"):
            queue.send("a", delay=wrong)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda remote: remote.queue("q").delete(5), "delivery must be a message"),
        (lambda remote: remote.queue("q").extend(None, 5), "delivery must be a message"),
        (lambda remote: remote.queue("q").send("a", attributes=5), "attributes must map"),
        (lambda remote: remote.queue("q").send("a", attributes={1: "b"}), "names that are str"),
        (
            lambda remote: remote.topic("t").publish("a", attributes=5),
            "attributes must map",
        ),
        (lambda remote: remote.topic("t").publish("a", attributes={"a": []}), "attribute 'a'"),
        (lambda remote: remote.topic("t").subscribe(5), "target must be"),
        (lambda remote: remote.bus().put(5), "event must be"),
    ],
)
def test_a_wrong_type_is_refused_by_the_name_of_its_argument(remote, call, match):
    with pytest.raises(TypeError, match=match):
        call(remote)


def test_bytes_are_an_attribute_of_a_publication_too(remote, engine):
    topic, queue = remote.topic("news"), remote.queue("readers")
    topic.subscribe(queue, raw=True)
    topic.publish("hello", attributes={"raw": b"\xff", "n": 3})
    assert dict(engine.queue("readers").receive()[0].attributes) == {"raw": b"\xff", "n": 3}


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"next": null}'])
def test_an_answer_that_lacks_its_members_is_told_apart(answer):
    def answered(request):
        is_first = request.path.endswith("/stats")
        return 200, b'{"version": "1"}' if is_first else answer

    with Endpoint(answered) as endpoint, trunkline.connect(endpoint.url) as remote:
        for call in (
            lambda: remote.queues(),
            lambda: remote.queue("q").send("a"),
            lambda: remote.topic("t").publish("a"),
            lambda: remote.bus().put({}),
            lambda: remote.stream("s").put("a", key="k"),
            lambda: remote.queue("q").peek(),
        ):
            with pytest.raises(trunkline.ServerUnreachable, match="no server of Trunkline"):
                call()


def test_a_server_that_drips_its_answer_does_not_hold_its_caller():
    from trunkline.remote.client import HttpClient

    ended = threading.Event()

    def drip(listening):
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            while not ended.wait(0.01):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        client = HttpClient(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.2)
        try:
            with pytest.raises(trunkline.ServerUnreachable, match="does not answer"):
                client.send("GET", "/", b"", {})
        finally:
            ended.set()
            client.close()
            thread.join()
