"""What every surface does alike: threads, asyncio, C and the wire, in one table.

Each surface has an engine of its own and says of a call what became of it: the value, or the code
of the error. Injected faults and empty bodies are tried on all of them.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import trunkline
from trunkline.aws.dispatcher import dispatcher_of

from . import border

DELAY_SECONDS = 0.25


class Threads:
    """`trunkline.Queue`."""

    def __init__(self, path: str | None = None, durable_receives: bool = False) -> None:
        self.engine = trunkline.open(path, durable_receives=durable_receives)
        self.queue = self.engine.queue("q")

    def add_fault(self, verb: str, effect: str, **options: Any) -> None:
        options["times"] = 1
        if effect == "duplicate":
            self.engine.faults.duplicate(**options)
        elif effect == "delay":
            self.engine.faults.delay(verb, DELAY_SECONDS, **options)
        elif effect == "crash":
            self.engine.faults.crash(verb, **options)
        else:
            self.engine.faults.error(verb, **options)

    def send(self, body: str) -> str:
        return code_of(lambda: self.queue.send(body))

    def receive(self) -> list[tuple[str, str]]:
        return [(message.text(), message.receipt) for message in self.queue.receive(max=10)]

    def delete(self, receipt: str) -> str:
        return code_of(lambda: self.queue.delete(receipt))

    def extend(self, receipt: str) -> str:
        return code_of(lambda: self.queue.extend(receipt, 60))

    def visible(self) -> int:
        return self.queue.statistics().visible

    def close(self) -> None:
        self.engine.close()


class Tasks(Threads):
    """`trunkline.aio.Queue`; the loop goes on while a call waits."""

    def __init__(self, path: str | None = None, durable_receives: bool = False) -> None:
        super().__init__(path, durable_receives)
        self.aio = trunkline.aio.Engine(self.engine).queue("q")
        self.loop = asyncio.new_event_loop()

    def send(self, body: str) -> str:
        return code_of(lambda: self._run(self.aio.send(body)))

    def receive(self) -> list[tuple[str, str]]:
        found = self._run(self.aio.receive(max=10))
        return [(message.text(), message.receipt) for message in found]

    def delete(self, receipt: str) -> str:
        return code_of(lambda: self._run(self.aio.delete(receipt)))

    def extend(self, receipt: str) -> str:
        return code_of(lambda: self._run(self.aio.extend(receipt, 60)))

    def close(self) -> None:
        self.loop.close()
        super().close()

    def _run(self, coroutine: Any) -> Any:
        async def watched() -> Any:
            begin, call = time.monotonic(), asyncio.ensure_future(coroutine)
            turns = 0
            while not call.done():
                await asyncio.sleep(0.01)
                turns += 1
            assert turns >= min(1, int((time.monotonic() - begin) / 0.1)), "the loop stood still"
            return await call

        return self.loop.run_until_complete(watched())


class Wire(Threads):
    """The AWS protocol, through a dispatcher in the process."""

    def __init__(self, path: str | None = None, durable_receives: bool = False) -> None:
        super().__init__(path, durable_receives)
        self.dispatcher = dispatcher_of(self.engine)

    def send(self, body: str) -> str:
        return self._code(self._call("SendMessage", MessageBody=body))

    def receive(self) -> list[tuple[str, str]]:
        status, found = self._call("ReceiveMessage", MaxNumberOfMessages=10)
        if status != 200:
            raise trunkline.InjectedFault(found["message"])
        return [(one["Body"], one["ReceiptHandle"]) for one in found.get("Messages", [])]

    def delete(self, receipt: str) -> str:
        return self._code(self._call("DeleteMessage", ReceiptHandle=receipt))

    def extend(self, receipt: str) -> str:
        visibility = self._call(
            "ChangeMessageVisibility", ReceiptHandle=receipt, VisibilityTimeout=60
        )
        return self._code(visibility)

    def _call(self, operation: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        headers = [
            ("x-amz-target", f"AmazonSQS.{operation}"),
            ("content-type", "application/x-amz-json-1.0"),
        ]
        fields["QueueUrl"] = "/000000000000/q"
        body = json.dumps(fields).encode()
        answer = self.dispatcher.call(("POST", "/", headers, body, "http://localhost"))
        return answer[0], json.loads(answer[2] or b"{}")

    @staticmethod
    def _code(answer: tuple[int, dict[str, Any]]) -> str:
        status, body = answer
        if status == 200:
            return "ok"
        if status == 500:
            # AWS's code for a failure of the service; its sentence is the fault's.
            return str(body["message"].partition(":")[0])
        assert body["__type"].endswith("#MissingRequiredParameterException")
        return "MissingParameter"


class C:
    """The C ABI."""

    def __init__(self, path: str | None = None, durable_receives: bool = False) -> None:
        self._opened = border.engine(path, durable_receives=int(durable_receives))
        self.engine = self._opened.__enter__()
        self.queue = border.queue(self.engine, "q")

    def add_fault(self, verb: str, effect: str, **options: Any) -> None:
        fault = border.struct("fault", times=1, delay_ms=int(DELAY_SECONDS * 1_000), **options)
        lib = border.lib
        border.check(lib.trunkline_add_fault(self.engine, verb.encode(), effect.encode(), fault))

    def send(self, body: str) -> str:
        return code_of(lambda: border.send(self.queue, body.encode()))

    def receive(self) -> list[tuple[str, str]]:
        found = border.receive(self.queue, max=10)
        return [(message["body"].decode(), message["receipt"]) for message in found]

    def delete(self, receipt: str) -> str:
        delete = border.lib.trunkline_delete
        return code_of(lambda: border.check(delete(self.queue, receipt.encode())))

    def extend(self, receipt: str) -> str:
        extend = border.lib.trunkline_extend
        return code_of(lambda: border.check(extend(self.queue, receipt.encode(), 60_000)))

    def visible(self) -> int:
        return border.statistics(self.queue)["visible"]

    def close(self) -> None:
        self._opened.__exit__(None, None, None)


SURFACES = [Threads, Tasks, C, Wire]


def code_of(call: Callable[[], object]) -> str:
    """What became of a call."""
    try:
        call()
    except trunkline.TrunklineError as error:
        return error.code
    except border.Failed as failed:
        return str(failed.code)
    return "ok"


@contextmanager
def opened(kind: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
    """A surface with an engine of its own."""
    surface = kind(*arguments)
    try:
        yield surface
    finally:
        surface.close()


def call_of(surface: Any, verb: str) -> Callable[[], object]:
    """A call of `verb` that can only fail by a fault."""
    if verb == "send":
        return lambda: surface.send("body")
    if verb == "receive":
        return lambda: code_of(surface.receive) if surface.receive() is not None else "ok"
    surface.send("body")
    ((_, receipt),) = surface.receive()
    return lambda: getattr(surface, verb)(receipt)


@pytest.mark.parametrize("kind", SURFACES)
@pytest.mark.parametrize("verb", ["send", "delete", "extend"])
def test_a_fault_fails_one_call_before_it_does_anything(kind: Any, verb: str) -> None:
    with opened(kind) as surface:
        call = call_of(surface, verb)
        surface.add_fault(verb, "error", message="no")
        before = surface.visible()
        assert call() == "InjectedFault"
        assert surface.visible() == before
        assert call() == "ok"


@pytest.mark.parametrize("kind", SURFACES)
@pytest.mark.parametrize("verb", ["send", "receive", "delete", "extend", "commit"])
def test_a_fault_pauses_one_call_which_then_does_what_it_should(kind: Any, verb: str) -> None:
    with opened(kind) as surface:
        call = call_of(surface, "send" if verb == "commit" else verb)
        surface.add_fault(verb, "delay")

        def seconds() -> float:
            begin = time.monotonic()
            assert call() != "InjectedFault"
            return time.monotonic() - begin

        assert seconds() >= DELAY_SECONDS
        # The shortest of some, since the machine may pause.
        assert min(seconds() for _ in range(5)) < DELAY_SECONDS


@pytest.mark.parametrize("kind", SURFACES)
def test_a_commit_that_fails_leaves_the_message_sent(kind: Any) -> None:
    with opened(kind) as surface:
        surface.add_fault("commit", "error")
        assert surface.send("body") == "InjectedFault"
        assert surface.visible() == 1
        assert surface.send("body") == "ok"


@pytest.mark.parametrize("kind", SURFACES)
@pytest.mark.parametrize("durable_receives", [False, True])
def test_a_receive_waits_for_the_disk_only_where_the_engine_was_opened_so(
    kind: Any, durable_receives: bool, tmp_path: Path
) -> None:
    with opened(kind, str(tmp_path), durable_receives) as surface:
        surface.send("body")
        surface.add_fault("commit", "error")
        outcome = code_of(surface.receive)
        assert outcome == ("InjectedFault" if durable_receives else "ok")
        assert surface.visible() == 0
        assert code_of(surface.receive) == "ok"


@pytest.mark.parametrize("kind", SURFACES)
def test_a_delivery_that_is_paused_and_duplicated_is_both(kind: Any) -> None:
    with opened(kind) as surface:
        surface.send("body")
        surface.add_fault("receive", "delay")
        surface.add_fault("receive", "duplicate")
        assert len(surface.receive()) == 1
        assert len(surface.receive()) == 1
        assert surface.receive() == []


@pytest.mark.parametrize("kind", SURFACES)
def test_a_fault_of_another_queue_strikes_nothing(kind: Any) -> None:
    with opened(kind) as surface:
        surface.add_fault("send", "error", queue="other")
        assert surface.send("body") == "ok"


@pytest.mark.parametrize("kind", [kind.__name__ for kind in SURFACES])
def test_a_crash_cuts_a_call_before_it_does_anything(kind: str) -> None:
    program = (
        "from tests.capi import test_surfaces as s\n"
        f"surface = s.{kind}()\n"
        "surface.add_fault('send', 'crash')\n"
        "surface.send('body')\n"
        "print('alive')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode < 0, ended.stderr
    assert "alive" not in ended.stdout


@pytest.mark.parametrize("kind", SURFACES)
def test_an_empty_body_is_a_message_in_the_process_and_refused_on_the_wire(kind: Any) -> None:
    with opened(kind) as surface:
        if kind is Wire:
            assert surface.send("") == "MissingParameter"
            surface.queue.send("")
        else:
            assert surface.send("") == "ok"
        assert [body for body, _ in surface.receive()] == [""]
