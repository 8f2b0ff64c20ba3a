"""Hostile callers: floods, half requests, and requests of another protocol."""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import struct
import urllib.request

import pytest

from trunkline.server import Server
from waiting import until

HEAD = (
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"X-Amz-Target: AmazonSQS.%s\r\n"
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
MIB = 1 << 20


def connect(server):
    return socket.create_connection(server.address, timeout=60)


def whole(operation, body):
    return HEAD % operation + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answer(server, data, silence=60):
    """What comes back until the server closes, or is silent for some seconds after the first."""
    with connect(server) as sock:
        parts = []
        with contextlib.suppress(OSError):
            sock.sendall(data)
            while part := sock.recv(65536):
                parts.append(part)
                sock.settimeout(silence)
        return b"".join(parts)


def is_served(server):
    with urllib.request.urlopen(server.url + "/_trunkline/health", timeout=60) as response:
        return response.status == 200


def test_thousands_of_pipelined_requests_are_all_answered(server, engine):
    engine.queue("q")
    body = b'{"QueueUrl":"q","MessageBody":"a"}'
    last = b"GET /_trunkline/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    got = answer(server, whole(b"SendMessage", body) * 2_000 + last)
    assert got.count(b"HTTP/1.1 200") == 2_001
    assert engine.queue("q").statistics().visible == 2_000


def send_until_cut_off(sock, data):
    """How many bytes went out before the server closed."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 256 * MIB:
            sock.sendall(data)
            sent += len(data)
    return sent


def test_a_head_of_megabytes_is_cut_off(server):
    with connect(server) as sock:
        sock.sendall(HEAD % b"SendMessage" + b"X-A: ")
        sent = send_until_cut_off(sock, b"a" * 65_536)
    assert sent < 16 * MIB
    assert is_served(server)


def test_a_body_without_an_end_is_cut_off(server):
    with connect(server) as sock:
        sock.sendall(HEAD % b"SendMessage" + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = send_until_cut_off(sock, b"10000\r\n" + b"a" * 65_536 + b"\r\n")
    # The limit, and what the sockets buffer.
    assert sent < 64 * MIB
    assert is_served(server)


def test_a_length_beside_chunks_does_not_split_one_request_in_two(server, engine):
    engine.queue("q")
    body = b'{"QueueUrl":"q","MessageBody":"a"}'
    hidden = whole(b"SendMessage", b'{"QueueUrl":"q","MessageBody":"smuggled"}')
    framing = b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n%x\r\n" % len(body)
    answer(server, HEAD % b"SendMessage" + framing + body + b"\r\n0\r\n\r\n" + hidden, silence=1)
    assert {message.text() for message in engine.queue("q").receive(max=10)} <= {"a"}


@pytest.mark.parametrize("method", [b"CONNECT a:1", b"GET /", b"PUT /"])
def test_only_a_post_carries_out_an_operation_of_json(server, engine, method):
    engine.queue("q")
    body = b'{"QueueUrl":"q","MessageBody":"a"}'
    got = answer(server, whole(b"SendMessage", body).replace(b"POST /", method, 1), silence=0.1)
    assert got.startswith((b"HTTP/1.1 404", b"HTTP/1.1 405"))
    assert engine.queue("q").statistics().visible == 0
    assert is_served(server)


def test_polls_that_are_reset_swallow_nothing_and_leave_nothing(server, engine):
    queue = engine.queue("q")
    poll = whole(b"ReceiveMessage", b'{"QueueUrl":"q","WaitTimeSeconds":20}')
    for _ in range(300):
        with connect(server) as sock:
            sock.sendall(poll)
            # Closing sends a reset, as a process that is killed does.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until(lambda: waiting(server) == 0)
    queue.send("a")
    assert [message.text() for message in queue.receive(max=10, wait=1)] == ["a"]


def waiting(server):
    with urllib.request.urlopen(server.url + "/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("trunkline_long_polls ")))


def frame(kind, flags, stream, payload=b""):
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


# A block of headers: POST, /, http.
BLOCK = b"\x83\x84\x86"


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(
            lambda n: frame(1, 4, 2 * n + 1, BLOCK) + frame(3, 0, 2 * n + 1, b"\0\0\0\x08"),
            id="streams that are reset at once",
        ),
        pytest.param(
            lambda n: frame(9, 0, 1, b"\0\x01a\x7f\0" + b"b" * 127) if n else frame(1, 0, 1, BLOCK),
            id="a head without an end",
        ),
        pytest.param(lambda _: frame(6, 0, 0, b"12345678"), id="pings"),
        pytest.param(lambda _: frame(4, 0, 0), id="settings"),
        pytest.param(lambda n: frame(0, 0, 1) if n else frame(1, 4, 1, BLOCK), id="empty data"),
        pytest.param(lambda n: frame(8, 0, 0, b"\0\0\0\0"), id="windows of nothing"),
    ],
)
def test_a_flood_of_frames_is_withstood(server, flood):
    with connect(server) as sock, contextlib.suppress(OSError):
        sock.settimeout(1)
        sock.sendall(PREFACE)
        for start in range(0, 20_000, 100):
            sock.sendall(b"".join(flood(n) for n in range(start, start + 100)))
    assert is_served(server)


def test_half_heads_in_their_hundreds_hold_no_other_up(engine):
    with Server(engine, port=0, read_timeout=5) as server, contextlib.ExitStack() as stack:
        half = [stack.enter_context(connect(server)) for _ in range(500)]
        for sock in half:
            # The first of them may have been let go already.
            with contextlib.suppress(ConnectionError):
                sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nX")
        assert is_served(server)

        def is_let_go():
            for sock in half:
                with contextlib.suppress(OSError):
                    sock.sendall(b"y")
            return select.select([half[0]], [], [], 0.25)[0]

        # A drop now and then does not make the time for a head longer.
        until(is_let_go)
        assert is_served(server)
        with contextlib.suppress(ConnectionError):
            assert half[0].recv(4_096)[:12] in (b"", b"HTTP/1.1 408")


def test_a_look_into_a_deep_queue_is_bounded(server, engine):
    queue = engine.queue("q")
    for _ in range(40):
        queue.send("x" * MIB)
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    connection.request("GET", "/_aws/sqs/messages?QueueUrl=q")
    look = json.loads(connection.getresponse().read())
    connection.close()
    assert look["Truncated"] is True
    assert 20 < len(look["Messages"]) < 40
