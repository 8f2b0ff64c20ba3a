"""A connection has what an engine has: the table of ``trunkline.remote`` against the classes."""

from __future__ import annotations

import asyncio
import inspect
import io
from importlib import import_module

import pytest

import trunkline
from trunkline.remote.noun import CLASSES, Fact
from trunkline.remote.nouns import NOUNS
from trunkline.validation import _HINTS

EVENT = {"source": "shop", "detail-type": "Order", "detail": {"id": 7}}


@pytest.fixture
def remote(server):
    with trunkline.connect(server.url) as remote:
        yield remote


def _of(noun):
    module, _, name = noun.of.partition(":")
    return getattr(import_module(module), name)


def _public(cls):
    # A queue answers the names that other libraries have with a hint.
    hints = set(_HINTS) if "Queue" in cls.__name__ else set()
    return {name for name in dir(cls) if name[0] != "_"} - hints


@pytest.mark.parametrize("kind", NOUNS)
def test_every_name_of_a_class_is_there_or_refused_with_a_reason(kind):
    noun, remote = NOUNS[kind], CLASSES[kind]
    own = _public(_of(noun))
    assert own - _public(remote) == set()
    # The table names nothing that the class does not have, and refuses nothing that works.
    assert {*noun.verbs, *noun.facts, *noun.refused} - own == set()
    assert set(noun.refused) & {*noun.verbs, *noun.facts} == set()
    for name in noun.facts:
        assert not callable(inspect.getattr_static(_of(noun), name))
        assert isinstance(inspect.getattr_static(remote, name), Fact)


@pytest.mark.parametrize("kind", NOUNS)
def test_what_is_written_by_hand_takes_the_arguments_of_the_class(kind):
    of, remote = _of(NOUNS[kind]), CLASSES[kind]
    for name, function in vars(remote).items():
        own = getattr(of, name, None)
        if name[0] == "_" or not inspect.isfunction(function) or not callable(own):
            continue
        if function.__qualname__.startswith("Remote."):
            continue
        taken = inspect.signature(function).parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in taken):
            continue
        wanted = {one.name: one for one in inspect.signature(own).parameters.values()}
        missing = set(wanted) - {one.name for one in taken} - {"account", "region", "options"}
        assert missing == set(), (kind, name)
        for one in taken:
            if one.name in wanted and wanted[one.name].default is not wanted[one.name].empty:
                assert one.default == wanted[one.name].default, (kind, name, one.name)


def test_bytes_travel_as_they_are(remote, engine):
    queue, own = remote.queue("orders"), engine.queue("orders")
    queue.send(b"\xff\x00", attributes={"n": 1})
    queue.send("\ufffd is a character", durability="memory")
    with own.receive()[0] as message:
        assert (message.body, dict(message.attributes)) == (b"\xff\x00", {"n": 1})
    with queue.receive()[0] as message:
        assert message.text() == "\ufffd is a character"
    own.send(b"\xfe")
    (message,) = queue.messages()
    assert message.body == b"\xfe"
    queue.extend(message, 0, durability="memory")
    (message,) = queue.receive()
    queue.delete(message, durability="memory")
    assert own.statistics().total == 0
    fifo = remote.queue("a.fifo", content_based_dedup=True)
    fifo.send("one", group="g")
    again = [fifo.receive(attempt_id="x")[0].message_id for _ in range(2)]
    assert again[0] == again[1]


def test_what_is_refused_says_why_and_what_to_do_instead(remote):
    for name, why in NOUNS["engine"].refused.items():
        with pytest.raises(trunkline.UnsupportedOperation, match=name) as caught:
            getattr(remote, name)
        assert why in str(caught.value)
    with pytest.raises(trunkline.UnsupportedOperation, match="use send"):
        _ = remote.queue("orders").send_nowait


def test_rules_are_made_and_changed(remote, engine):
    bus, queue, late = remote.bus(), remote.queue("orders"), remote.queue("late")
    rule = bus.rule("all", {"source": ["shop"]}, queue, input_path="$.detail")
    own = engine.bus().rules()[0]
    assert (rule.name, rule.pattern, rule.enabled) == (own.name, own.pattern, True)
    assert bus.put(EVENT).matched == 1
    assert queue.receive()[0].json() == {"id": 7}
    rule.add_target(late, id="late")
    assert rule.targets() == own.targets()
    rule.remove_target("main")
    assert [one["id"] for one in own.targets()] == ["late"]
    rule.disable()
    assert (rule.enabled, own.enabled, bus.put(EVENT).matched) == (False, False, 0)
    rule.enable()
    assert own.enabled
    assert rule.statistics() == own.statistics()
    assert str(bus.explain({**EVENT, "source": "bank"})["all"]).startswith('The field "source"')
    put = bus.put_batch([EVENT, EVENT])
    assert ([one.delivered for one in put.successful], put.failed) == ([1, 1], ())
    assert bus.statistics() == engine.bus().statistics()
    rule.remove()
    assert (bus.rules(), engine.bus().rules()) == ([], [])


@pytest.mark.parametrize("kind", ["queue", "topic", "bus", "stream", "arn", "url"])
def test_a_rule_sends_to_what_a_connection_gives(remote, engine, kind):
    target = "http://127.0.0.1:1/"
    if kind == "arn":
        remote.queue("to")
        target = "arn:aws:sqs:us-east-1:000000000000:to"
    elif kind != "url":
        target = getattr(remote, kind)("to")
    remote.bus().rule("all", {"source": ["shop"]}, target)
    (told,) = engine.bus().rules()[0].targets()
    wanted = "queue" if kind == "arn" else kind
    assert told["address"].startswith("http" if kind == "url" else f"{wanted} to")


def test_a_function_of_this_program_is_no_target(remote, engine):
    with pytest.raises(trunkline.UnsupportedOperation, match="function of this program"):
        remote.bus().rule("all", {"source": ["shop"]}, print)
    with pytest.raises(trunkline.UnsupportedOperation, match="consume"):
        remote.topic("news").subscribe(lambda message: None)
    with pytest.raises(trunkline.UnsupportedOperation, match="server cannot call"):
        remote.function("charge", lambda event, context: None)
    with pytest.raises(TypeError, match="engine of this process"):
        remote.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
    with pytest.raises(trunkline.UnsupportedOperation, match="no target here"):
        remote.bus().rule("all", {"source": ["shop"]}, "arn:aws:ec2:us-east-1:000000000000:x")


def test_no_folder_of_the_server_is_written(remote, tmp_path):
    for given in ({"destination": f"file://{tmp_path}"}, {"backup": f"FILE:{tmp_path}"}):
        with pytest.raises(trunkline.UnsupportedOperation, match="firehose-folder"):
            remote.delivery_stream("lake", **given)
    bucket = remote.bucket("lake")
    lake = remote.delivery_stream("lake", bucket)
    lake.put("one\n")
    lake.flush()
    assert len(list(bucket.list())) == 1


def test_archives_are_replayed(remote, engine):
    bus, queue = remote.bus(), remote.queue("orders")
    archive = bus.archive("all", retention=86_400)
    bus.put(EVENT)
    assert (archive.events, archive.retention, archive.pattern) == (1, 86_400, None)
    rule = bus.rule("late", {"source": ["shop"]}, queue)
    replay = archive.replay(rules=[rule], name="again")
    assert (replay.wait(timeout=30), replay.name, replay.replayed) == ("COMPLETED", "again", 1)
    assert queue.receive()[0].json()["replay-name"] == "again"
    assert [one.name for one in archive.replays()] == ["again"]
    assert archive.bus == bus
    assert replay.archive == archive
    assert bus.archives() == [archive]
    archive.remove()
    assert engine.bus().archives() == []


def test_topics_and_their_subscriptions(remote, engine):
    topic, queue = remote.topic("news.fifo"), remote.queue("a.fifo", content_based_dedup=True)
    dead = remote.queue("dead.fifo")
    own = engine.topic("news.fifo")
    assert (topic.arn, topic.fifo, topic.created_at) == (own.arn, True, own.created_at)
    topic.archive(86_400)
    one = topic.subscribe(queue, raw=True, dead_letter=dead, filter={"kind": ["hot"]})
    (mine,) = own.subscriptions()
    assert (one.arn, one.raw, one.filter, one.filter_scope) == (
        mine.arn, True, {"kind": ["hot"]}, "attributes",
    )  # fmt: skip
    assert (one.target, one.dead_letter, one.topic) == (queue, dead, topic)
    entries = [{"body": "a", "group": "g", "dedup_id": "1", "attributes": {"kind": "hot"}}]
    assert topic.publish_batch(entries).successful[0].matched == 1
    one.configure(filter={})
    assert topic.publish("b", group="g", dedup_id="2").delivered == 1
    replay = one.replay()
    assert (replay.wait(timeout=30), replay.replayed) == ("COMPLETED", 2)
    assert one.current_replay.status == "COMPLETED"
    assert topic.settings() == own.settings()
    assert topic.statistics() == own.statistics()
    assert topic.subscriptions() == [one]
    one.remove()
    assert own.subscriptions() == []


def test_queues_are_managed(remote, engine):
    dead = remote.queue("dead")
    queue = remote.queue("orders", dead_letter=dead, max_receive_count=1)
    own = engine.queue("orders")
    assert queue.settings() == own.settings()
    queue.configure(visibility_timeout=60)
    assert own.settings()["visibility_timeout"] == 60
    assert dead.dead_letter_sources() == [queue]
    entries = [trunkline.SendEntry(b"\xff", attributes={"n": 1}), "two"]
    sent = queue.send_batch(entries)
    assert (len(sent.successful), sent.as_dict()["failed"]) == (2, [])
    assert own.peek()[0].body == b"\xff"
    held = queue.receive(10, visibility_timeout=0)
    assert queue.receive() == []
    here, there = dead.statistics().as_dict(), engine.queue("dead").statistics().as_dict()
    # The clock goes on between the two.
    assert {**here, "oldest_age": 0} == {**there, "oldest_age": 0}
    assert dead.redrive_message(dead.peek()[0])
    task = dead.start_redrive()
    assert (task.wait(timeout=30), task.moved, task.total) == ("COMPLETED", 1, 1)
    assert [one.as_dict()["moved"] for one in dead.redrive_tasks()] == [1]
    held = queue.receive(10)
    assert queue.extend_batch(held, 100).failed == ()
    assert queue.delete_batch(held).successful == (0, 1)
    assert own.statistics().total == 0
    assert queue.engine.url == remote.url


def test_a_worker_of_this_program_works_a_queue_off(remote, engine):
    queue = remote.queue("orders", visibility_timeout=1)
    queue.send_batch(["1", "2", "bad", "mine"])
    seen = []

    def work(message):
        seen.append(message.text())
        if message.text() == "bad" and message.receive_count == 1:
            raise ValueError
        if message.text() == "mine":
            message.delete()

    report = queue.consume(work, 2, until_empty=True)
    assert sorted(seen) == ["1", "2", "bad", "bad", "mine"]
    assert report.as_dict() == {"handled": 4, "failed": 1, "released": 0}
    assert engine.queue("orders").statistics().total == 0


def test_streams_and_their_readers(remote, engine):
    stream, own = remote.stream("clicks", shards=1), engine.stream("clicks")
    put = stream.put_batch([("k", b"\xff"), ("k", "b"), ("k", "c")])
    assert len(put) == 3
    with stream.reader("billing", start="earliest") as reader:
        first = reader.fetch(2)
        assert [record.data for record in first] == [b"\xff", b"b"]
        reader.commit(first)
        assert [[record.text() for record in batch] for batch in reader.batches(wait=0)] == [["c"]]
        assert reader.name == "billing"
    with own.reader("billing") as mine:
        assert [record.text() for record in mine.fetch()] == ["c"]
    assert stream.readers() == ["billing"]
    stream.remove_reader("billing")
    assert own.readers() == []
    first, second = stream.split("shardId-000000000000", at=2**127)
    assert stream.merge(first, second) == "shardId-000000000003"
    assert len(stream.resize(2)) == 2
    assert [one.as_dict() for one in stream.shards()] == [
        {**one.as_dict(), "hash_keys": list(one.hash_keys), "parents": list(one.parents)}
        for one in own.shards()
    ]
    stream.configure(retention=7 * 86_400)
    assert (stream.retention, own.retention) == (604_800, 604_800)
    assert stream.statistics().open_shards == 2


def test_schedules(clock, remote, engine):
    queue = remote.queue("ticks")
    one = remote.schedule("tick", "rate(1 hour)", queue, input={"a": 1})
    (own,) = engine.schedules()
    assert one.settings() == own.settings()
    assert one.next() == own.next()
    assert one.statistics().next == own.statistics().next
    one.configure(expression="rate(2 hours)")
    one.pause()
    assert (own.settings()["expression"], own.next()) == ("rate(2 hours)", [])
    one.resume()
    assert [found.name for found in remote.schedules()] == ["tick"]
    one.remove()
    assert engine.schedules() == []
    away = trunkline.connect(remote.url, region="eu-west-1")
    with pytest.raises(trunkline.UnsupportedOperation, match="alone"):
        away.schedules()


def test_buckets(remote, engine):
    bucket, own = remote.bucket("uploads"), engine.bucket("uploads")
    put = bucket.put("a/ b+ä", "one coffee", metadata={"by": "ann"}, tags={"state": "paid"})
    assert put.as_dict() == own.head("a/ b+ä").as_dict()
    with bucket.get("a/ b+ä") as reader:
        assert (reader.read(3), reader.text(), reader.metadata) == (
            b"one",
            " coffee",
            {"by": "ann"},
        )
    assert bucket.get("a/ b+ä", range=(-6, None)).bytes() == b"coffee"
    large = bytes(range(256)) * 10_000
    bucket.put("large", io.BytesIO(large))
    assert b"".join(bucket.get("large")) == large
    with pytest.raises(trunkline.PreconditionFailed):
        bucket.put("large", b"x", if_absent=True)
    with pytest.raises(trunkline.NoSuchKey):
        bucket.get("none")
    assert bucket.copy("large", "b", to=remote.bucket("others")).size == len(large)
    listed = list(bucket.list("", "/"))
    assert [getattr(one, "key", one) for one in listed] == ["a/", "large"]
    bucket.configure(versioned=True)
    first = bucket.put("v", "1").version_id
    bucket.put("v", "2")
    assert bucket.get("v", version=first).text() == "1"
    bucket.delete("v")
    assert bucket.statistics() == own.statistics()
    assert [one.name for one in remote.buckets()] == ["others", "uploads"]


def test_functions_and_apis(remote, engine):
    engine.function("charge", lambda event, context: {"paid": event["total"]})
    function = remote.function("charge")
    assert function.invoke({"total": 3}) == {"paid": 3}
    with pytest.raises(trunkline.FunctionError, match="KeyError"):
        function.invoke({})
    assert function.invoke_async({"total": 1})
    assert function.settings() == engine.function("charge").settings()
    assert [one.name for one in remote.functions()] == ["charge"]
    queue = remote.queue("orders")
    api = remote.api("front").route("POST /orders", queue).route("GET /charge", function)
    assert api.routes() == engine.api("front").routes()
    answer = api.request("POST", "/orders", b"tea")
    assert (answer.status, queue.receive()[0].text()) == (202, "tea")
    source = remote.event_source(queue, function, batch_size=5)
    assert (source.enabled, source.settings()["BatchSize"]) == (True, 5)
    source.disable()
    assert source.enabled is False
    source.remove()
    api.remove()


def test_a_machine_runs_to_its_end(remote, engine):
    done = {"Type": "Pass", "End": True}
    machine = remote.machine("orders", {"StartAt": "Done", "States": {"Done": done}})
    assert machine.run({"a": 1}) == {"a": 1}
    assert machine.arn == engine.machine("orders").arn
    one = machine.start(name="first").wait(60)
    assert one.arn == engine.machine("orders").execution("first").arn
    assert one.as_dict()["status"] == "SUCCEEDED"


def test_what_is_gone_says_so(remote):
    rule = remote.bus().rule("all", {"source": ["shop"]}, remote.queue("orders"))
    rule.remove()
    with pytest.raises(trunkline.ResourceNotFound):
        _ = rule.enabled
    with pytest.raises(trunkline.NoSuchBucket):
        remote.bucket("none", create=False)
    api = remote.api("front")
    api.remove()
    with pytest.raises(trunkline.ResourceNotFound):
        api.routes()


def test_the_same_for_coroutines(server, engine):
    async def main():
        async with await trunkline.aio.connect(server.url) as remote:
            bus, queue = await remote.bus(), await remote.queue("orders")
            rule = await bus.rule("all", {"source": ["shop"]}, queue)
            assert (rule.name, rule.enabled, rule.bus.name) == ("all", True, "default")
            await rule.disable()
            assert (await rule.refresh()).enabled is False
            await rule.enable()
            assert await bus.rules() == [rule]
            archive = await bus.archive("kept")
            assert (await bus.put(EVENT)).matched == 1
            assert await (await archive.replay()).wait(30) == "COMPLETED"
            topic = await remote.topic("news")
            one = await topic.subscribe(queue, raw=True)
            assert one.raw is True
            stream = await remote.stream("clicks")
            await stream.put("a", key="k")
            async with await stream.reader("r", start="earliest") as reader:
                async for batch in reader.batches(wait=0):
                    assert [record.text() for record in batch] == ["a"]
                    await reader.commit(batch)
            bucket = await remote.bucket("uploads")
            await bucket.put("a", "one")
            async with await bucket.get("a") as content:
                assert await content.text() == "one"
                assert [piece async for piece in content] == []
            assert [entry.key async for entry in bucket.list()] == ["a"]
            schedule = await remote.schedule("tick", "rate(1 hour)", queue)
            assert len(await schedule.next(2)) == 2
            with pytest.raises(trunkline.UnsupportedOperation):
                await bus.rule("f", {"source": ["shop"]}, print)

    asyncio.run(main())
