"""The public names: what completion offers, and the old names that still work."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import pytest

import trunkline
import trunkline.aio

RENAMED = {
    "Entry": "SendEntry",
    "Envelope": "PeekedMessage",
    "Failure": "BatchFailure",
    "MoveTask": "RedriveTask",
    "Statistics": "QueueStatistics",
    "Ticket": "PendingSend",
}


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_works_and_names_the_new_one(old):
    with pytest.warns(DeprecationWarning, match=f"trunkline.{old} is now trunkline.{RENAMED[old]}"):
        assert getattr(trunkline, old) is getattr(trunkline, RENAMED[old])


def test_every_use_of_an_old_name_is_told():
    for _ in range(2):
        with pytest.warns(DeprecationWarning, match="SendEntry"):
            assert trunkline.Entry is trunkline.SendEntry


def test_the_old_verbs_of_a_redrive_work_and_name_the_new_ones():
    engine = trunkline.open()
    dead = engine.queue("dead")
    engine.queue("orders", dead_letter=dead, max_receive_count=1)
    with pytest.warns(DeprecationWarning, match=r"Queue.start_move\(\) is now"):
        task = dead.start_move()
    assert task.wait(timeout=60) == "COMPLETED"
    with pytest.warns(DeprecationWarning, match=r"Queue.moves\(\) is now"):
        assert [repr(each) for each in dead.moves()] == [repr(task)]


def test_completion_offers_the_public_names_and_nothing_else():
    script = "import trunkline; print(*dir(trunkline))"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    modules = {
        "admin",
        "aio",
        "analytics",
        "aws",
        "bench",
        "capi",
        "patterns",
        "remote",
        "server",
        "states",
    }
    assert set(shown) == set(trunkline.__all__) | modules


NOUNLESS = (
    (trunkline.QueueDoesNotExist, trunkline.NotFound, LookupError),
    (trunkline.ResourceNotFound, trunkline.NotFound, LookupError),
    (trunkline.QueueNameExists, trunkline.AlreadyExists, Exception),
    (trunkline.InvalidParameterValue, trunkline.InvalidArgument, ValueError),
    (trunkline.ReceiptHandleIsInvalid, trunkline.InvalidArgument, ValueError),
    (trunkline.OverLimit, trunkline.LimitExceeded, Exception),
    (trunkline.MessageNotInflight, trunkline.InvalidState, Exception),
    (trunkline.EngineClosed, trunkline.EngineUnavailable, Exception),
    (trunkline.EnginePoisoned, trunkline.EngineUnavailable, OSError),
    (trunkline.StorageFull, trunkline.StorageError, OSError),
    (trunkline.CorruptJournal, trunkline.StorageError, OSError),
)


@pytest.mark.parametrize(("failure", "kind", "builtin"), NOUNLESS)
def test_a_failure_is_caught_by_its_kind_and_keeps_its_code(failure, kind, builtin):
    raised = trunkline.errors.from_code(failure.code, "why")
    assert type(raised) is failure
    assert isinstance(raised, kind)
    assert isinstance(raised, builtin)
    assert raised.code == failure.code


def test_every_failure_but_the_deliberate_and_the_callers_own_is_of_one_kind():
    kinds = trunkline.errors.KINDS
    without = {
        failure.__name__
        for failure in trunkline.errors.failures()
        if sum(issubclass(failure, kind) for kind in kinds) != 1
    }
    assert without == {"ExecutionFailed", "FunctionError", "InjectedFault", "InternalError"}


@pytest.mark.parametrize("verb", ["put", "get", "ack", "qsize"])
@pytest.mark.parametrize("open", [trunkline.open, trunkline.aio.open])
def test_a_verb_of_another_queue_names_ours(open, verb):
    queue = open().queue("orders")
    with pytest.raises(AttributeError, match=rf"no attribute '{verb}'; use "):
        getattr(queue, verb)
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        queue.nonsense  # noqa: B018


def test_a_queue_is_asked_of_an_engine():
    with pytest.raises(AttributeError, match=r"use trunkline.open\(\).queue"):
        trunkline.queue  # noqa: B018
    with pytest.raises(TypeError, match=r"use engine.queue\('orders'\)"):
        trunkline.open()["orders"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_engine_is_not_copied_by_accident(copied):
    with pytest.raises(TypeError, match=r"engine.fork\(\) for a copy in memory"):
        copied(trunkline.open())


def test_a_queue_is_found_without_being_created():
    engine = trunkline.open()
    with pytest.raises(trunkline.NotFound, match="no queue 'orders'"):
        engine.queue("orders", create=False)
    assert engine.queues() == []
    queue = engine.queue("orders", delay=5)
    assert engine.queue("orders", create=False) == queue
    with pytest.raises(trunkline.AlreadyExists, match="delay"):
        engine.queue("orders", create=False, delay=6)


def test_an_option_that_does_not_exist_names_the_one_that_is_meant():
    engine = trunkline.open()
    with pytest.raises(TypeError, match="did you mean 'visibility_timeout'"):
        engine.queue("orders", visibility=5)
    with pytest.raises(TypeError, match="no option 'zzz'; the options are delay, retention"):
        engine.queue("orders").configure(zzz=1)


def test_the_typed_options_are_the_options_there_are():
    from trunkline.queues import options

    assert tuple(trunkline.QueueOptions.__annotations__) == options.NAMES
    assert tuple(trunkline.open().queue("orders").settings()) == options.NAMES


def test_reports_become_json(tmp_path):
    with trunkline.open(tmp_path / "data") as engine:
        queue = engine.queue("orders")
        queue.send("one coffee")
        counted = json.loads(json.dumps(queue.statistics().as_dict()))
    assert {"visible", "in_flight", "delayed", "total"} <= counted.keys()
    assert (counted["visible"], counted["total"]) == (1, 1)
    report = json.loads(json.dumps(trunkline.inspect(tmp_path / "data").as_dict()))
    assert [(queue["name"], queue["messages"]) for queue in report["queues"]] == [("orders", 1)]
