"""State machines in the process: what a step costs whose work is a Python function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import trunkline
from trunkline.bench import peers
from trunkline.bench.contest import OURS, Contest, NotInstalled, Run, goal
from trunkline.bench.peers import scratch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STEPS = 10
EXECUTIONS = 50
DURABLE_EXECUTIONS = 5
DURABLE_AT_ONCE = 60
STEP_SECONDS_MAX = 5e-6
STEP_GOAL = "5 us"
DURABLE_STEP_SECONDS_MAX = 50e-6
DURABLE_STEP_GOAL = "50 us"
INPUT = {"order": "x" * 100}


def definition(kind: str) -> dict[str, Any]:
    """A line of states: functions of the program, or states that pass their input on."""
    states: dict[str, Any] = {}
    for number in range(STEPS):
        state: dict[str, Any] = {"Type": kind}
        if kind == "Task":
            state["Resource"] = "arn:aws:lambda:us-east-1:000000000000:function:same"
        last = number == STEPS - 1
        states[f"S{number}"] = state | ({"End": True} if last else {"Next": f"S{number + 1}"})
    return {"StartAt": "S0", "States": states}


def same(given: object) -> object:
    """The work of a step."""
    return given


@contextmanager
def in_memory(kind: str) -> Iterator[Run]:
    """The processor time of a step of `machine.run()`, that of all threads included."""
    with trunkline.open() as engine:
        machine = engine.machine("bench", definition(kind), functions={"same": same})

        def run() -> float:
            started = process_time()
            for _ in range(EXECUTIONS):
                machine.run(INPUT)
            return (process_time() - started) / (EXECUTIONS * STEPS)

        yield run


@contextmanager
def transitions() -> Iterator[Run]:
    """The library of that name: a trigger that calls a function of the model."""
    try:
        from transitions import Machine
    except ImportError:
        raise NotInstalled("transitions") from None

    class Model:
        step: Callable[[], object]

        def work(self) -> None:
            same(INPUT)

    model = Model()
    names = [f"S{number}" for number in range(STEPS)]
    machine = Machine(model=model, states=names, initial="S0", after_state_change="work")
    machine.add_ordered_transitions(trigger="step")

    def run() -> float:
        started = process_time()
        for _ in range(EXECUTIONS * STEPS):
            model.step()
        return (process_time() - started) / (EXECUTIONS * STEPS)

    yield run


@contextmanager
def durable(base: Path) -> Iterator[Run]:
    """A step of `machine.start()` on disk: the task is handed out and its end is synced."""
    with scratch(base) as folder, trunkline.open(folder / "data") as engine:
        machine = engine.machine("bench", definition("Task"), functions={"same": same})
        peers.fill_journal(engine)

        def run() -> float:
            started = perf_counter()
            for _ in range(DURABLE_EXECUTIONS):
                machine.start(INPUT).wait()
            return (perf_counter() - started) / (DURABLE_EXECUTIONS * STEPS)

        yield run


@contextmanager
def at_once(base: Path) -> Iterator[Run]:
    """The processor time of a step where many executions share what is written to the disk."""
    with scratch(base) as folder, trunkline.open(folder / "data") as engine:
        machine = engine.machine("bench", definition("Task"), functions={"same": same})
        peers.fill_journal(engine)

        def run() -> float:
            started = process_time()
            executions = [machine.start(INPUT) for _ in range(DURABLE_AT_ONCE)]
            for execution in executions:
                execution.wait()
            return (process_time() - started) / (DURABLE_AT_ONCE * STEPS)

        yield run


@contextmanager
def dbos(base: Path) -> Iterator[Run]:
    """A step of a workflow of DBOS, which keeps its state in a file of SQLite."""
    try:
        from dbos import DBOS
    except ImportError:
        raise NotInstalled("dbos") from None

    with scratch(base) as folder:
        url = f"sqlite:///{folder / 'dbos.sqlite'}"
        settings = {"name": "bench", "system_database_url": url, "log_level": "ERROR"}
        DBOS(config={**settings, "run_admin_server": False})
        step = DBOS.step()(same)

        def steps(given: object) -> object:
            for _ in range(STEPS):
                given = step(given)
            return given

        workflow = DBOS.workflow()(steps)
        DBOS.launch()

        def run() -> float:
            started = perf_counter()
            for _ in range(DURABLE_EXECUTIONS):
                workflow(INPUT)
            return (perf_counter() - started) / (DURABLE_EXECUTIONS * STEPS)

        try:
            yield run
        finally:
            DBOS.destroy()


def contests(folder: Path) -> list[Contest]:
    """The rows of this file."""
    return [
        Contest(
            name="machine/step",
            title="a step, Python to Python, CPU",
            payload="100 B",
            durability="memory",
            candidates={
                OURS: partial(in_memory, "Task"),
                "itself, Pass states": partial(in_memory, "Pass"),
                "transitions": transitions,
                STEP_GOAL: partial(goal, STEP_SECONDS_MAX),
            },
            at_least={STEP_GOAL: 1.0},
        ),
        Contest(
            name="machine/durable-step",
            title="a durable step, Python to Python",
            payload="100 B",
            durability="disk",
            candidates={
                OURS: partial(durable, folder),
                "DBOS on SQLite": partial(dbos, folder),
                "raw write + fdatasync": partial(peers.raw, folder, b"x" * 1_024, 1, STEPS),
            },
        ),
        Contest(
            name="machine/durable-step-cpu",
            title=f"a durable step of {DURABLE_AT_ONCE} executions at once, CPU",
            payload="100 B",
            durability="disk",
            candidates={
                OURS: partial(at_once, folder),
                DURABLE_STEP_GOAL: partial(goal, DURABLE_STEP_SECONDS_MAX),
            },
            at_least={DURABLE_STEP_GOAL: 1.0},
        ),
    ]
