"""Every result and report of the core is a dict when it is asked."""

from __future__ import annotations

import json

import trunkline


def test_results_are_dicts_that_json_takes():
    with trunkline.open() as engine:
        queue, fifo = engine.queue("orders"), engine.queue("orders.fifo")
        sent = queue.send("one")
        told = sent.as_dict()
        assert told == {
            "message_id": sent.message_id,
            "sequence_number": None,
            "duplicate": False,
            "index": 0,
        }
        batch = fifo.send_batch([trunkline.SendEntry("a", group="g", dedup_id="1"), "b"]).as_dict()
        assert [one["index"] for one in batch["successful"]] == [0]
        assert [(one["index"], one["code"]) for one in batch["failed"]] == [(1, "MissingParameter")]
        deleted = queue.delete_batch([*queue.receive(), "forged"]).as_dict()
        assert deleted["successful"] == [0]
        assert deleted["failed"][0]["code"] == "ReceiptHandleIsInvalid"
        topic = engine.topic("news")
        topic.subscribe(queue)
        published = topic.publish("hello")
        assert published.as_dict()["matched"] == 1
        publications = topic.publish_batch(["two", ""]).as_dict()
        assert (len(publications["successful"]), len(publications["failed"])) == (1, 1)
        event = {"source": "shop", "detail-type": "Paid", "detail": {"n": 1}}
        put = engine.bus().put(event)
        assert put.as_dict()["event_id"] == put.event_id
        puts = engine.bus().put_batch([event, {"source": "shop"}]).as_dict()
        assert (len(puts["successful"]), len(puts["failed"])) == (1, 1)
        stream = engine.stream("clicks")
        shard = stream.shards()[0].as_dict()
        assert (shard["id"], shard["open"], shard["parents"]) == ("shardId-000000000000", True, [])
        bucket = engine.bucket("files")
        bucket.put("a.txt", "one coffee", metadata={"by": "me"})
        stored = next(iter(bucket.list())).as_dict()
        assert (stored["key"], stored["size"]) == ("a.txt", 10)
        reports = [told, batch, deleted, published.as_dict(), publications, put.as_dict(), puts]
        for one in (*reports, shard, stored, stream.statistics().as_dict()):
            assert json.loads(json.dumps(one)) == one


def test_a_message_tells_what_traces_it():
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    with trunkline.open() as engine:
        queue, bus = engine.queue("orders"), engine.bus()
        queue.send("plain")
        bus.rule("all", {"source": ["shop"]}, queue)
        event = {"source": "shop", "detail-type": "Paid", "detail": {"n": 1}}
        bus.put(event, trace_header=header)
        bus.put_batch([event], trace_header=header)
        found = [message.trace_header for message in queue.receive(10)]
        assert found == [None, header, header]


def test_a_message_and_a_record_are_dicts_that_json_takes():
    with trunkline.open(clock=trunkline.VirtualClock(1_700_000_000)) as engine:
        queue = engine.queue("orders.fifo")
        attributes = {"table": 4, "raw": b"\xff", "price": ("Number.cents", "250"), "who": "me"}
        sent = queue.send("one coffee", group="g", dedup_id="d", attributes=attributes)
        told = queue.peek()[0].as_dict()
        assert told == {
            "message_id": sent.message_id,
            "body": "one coffee",
            "group": "g",
            "dedup_id": "d",
            "sequence_number": sent.sequence_number,
            "sent_at": 1_700_000_000.0,
            "receive_count": 0,
            "attributes": {
                "table": 4,
                "raw": {"base64": "/w=="},
                "price": {"type": "Number.cents", "value": "250"},
                "who": "me",
            },
        }
        received = queue.receive()[0].as_dict()
        assert received["first_received_at"] == 1_700_000_000.0
        plain = engine.queue("orders")
        plain.send(b"\xff")
        assert plain.peek()[0].as_dict()["body_base64"] == "/w=="
        stream = engine.stream("clicks")
        put = stream.put('{"page": "home"}', key="user-1")
        record = stream.read()[0].as_dict()
        assert record == {
            "sequence": put.sequence,
            "shard": put.shard,
            "timestamp": 1_700_000_000.0,
            "key": "user-1",
            "data": '{"page": "home"}',
        }
        for one in (told, received, record):
            assert json.loads(json.dumps(one)) == one
