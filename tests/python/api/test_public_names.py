"""The public names: what completion offers, and the old names that still work."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trunkline

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
    assert task.wait(timeout=10) == "COMPLETED"
    with pytest.warns(DeprecationWarning, match=r"Queue.moves\(\) is now"):
        assert [repr(each) for each in dead.moves()] == [repr(task)]


def test_completion_offers_the_public_names_and_nothing_else():
    script = "import trunkline; print(*dir(trunkline))"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    modules = {"aio", "aws", "bench", "capi", "patterns", "server"}
    assert set(shown) == set(trunkline.__all__) | modules
