"""Rows of SNS and EventBridge: what is published reaches the queues that match, and only those."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benches.wire import rows
from benches.wire.scenes import Ready, Scene, prove, set_up
from benches.wire.servers import Server, Unproven, echo, ours

CONNECTIONS = 16
PROOF = 2_000
"""Copies that are followed into the queues before a row is measured, about."""
PROOF_MIN = 20
PROOF_MAX = 200
PROOF_SECONDS = 60.0
SNS_ANSWER_BYTES = 300
EVENTS_ANSWER_BYTES = 80
ROUTERS = ("moto", "ministack")
"""The peers that have topics and event buses too."""
ITSELF = "itself"
ECHO = "null echo"


@dataclass(frozen=True)
class Measured:
    """A scene, and how many times as fast as each of its peers it shall be at least."""

    scene: Scene
    answer_bytes: int = 0
    at_least: float | None = None
    """Beside the null echo, or beside `base`."""
    beside_peers: float | None = None
    base: Scene | None = None
    """The scene that it is held against on a server of our own."""
    is_for_peers: bool = True
    is_long: bool = False


def measured() -> list[Measured]:
    """The rows of this file."""
    one = Scene("Publish, 1 queue", "sns")
    put = Scene("PutEvents x1, 1 rule", "events")
    ten = Scene("PublishBatch x10, 1 queue", "sns", batch=10)
    ten_events = Scene("PutEvents x10, 1 rule", "events", batch=10)
    found = [
        Measured(one, SNS_ANSWER_BYTES, 0.3),
        Measured(ten, SNS_ANSWER_BYTES * 10, 0.25),
    ]
    for queues in (10, 100, 1_000):
        scene = Scene(f"Publish, {queues:,} queues", "sns", queues=queues)
        found.append(Measured(scene, 0, None, None if queues == 10 else 100.0, one))
    for others in (1_000, 10_000):
        name = f"Publish, {others:,} filters, 1 matches"
        scene = Scene(name, "sns", others=others - 1)
        is_long = others > 1_000
        found.append(Measured(scene, 0, 1 / 1.2, None, one, not is_long, is_long))
    found += [
        Measured(put, EVENTS_ANSWER_BYTES, 0.3),
        Measured(ten_events, EVENTS_ANSWER_BYTES * 6, 0.2),
    ]
    for rules in (100, 1_000, 10_000):
        scene = Scene(f"PutEvents x1, {rules:,} rules", "events", others=rules - 1)
        is_long = rules > 1_000
        found.append(Measured(scene, 0, 1 / 1.3, None, put, not is_long, is_long))
    return found


def contests(load: rows.Load, peers: Sequence[Server], only: str, is_quick: bool) -> list[rows.Row]:
    """All rows whose name holds `only`. Each server that takes part has proved its delivery."""
    found = []
    for one in measured():
        name = f"{one.scene.name}, {CONNECTIONS} connections"
        if only in name and not (is_quick and one.is_long):
            found += _contest(load, one, name, peers if one.is_for_peers else ())
    return found


def _contest(load: rows.Load, one: Measured, name: str, peers: Sequence[Server]) -> list[rows.Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mine = stack.enter_context(ours())
        scenes = {mine.name: one.scene}
        others: list[Server] = []
        if one.answer_bytes:
            others.append(stack.enter_context(echo(load.binary, one.answer_bytes)))
        if one.base is not None:
            base = stack.enter_context(ours())
            base.name = f"{ITSELF}: {one.base.name}"
            scenes[base.name] = one.base
            others.append(base)
        for peer in peers:
            peer.renew()
            scenes[peer.name] = one.scene
            others.append(peer)
        ready: dict[str, Path] = {}
        accepted = ""
        unproven: list[rows.Row] = []
        for server in (mine, *others[:]):
            if server.name not in scenes:
                continue
            scene = scenes[server.name]
            set_on = set_up(scene, server)
            ready[server.name] = folder / str(len(ready))
            ready[server.name].write_bytes(set_on.request)
            accepted = set_on.accepted
            try:
                _prove(load, scene, set_on, server, ready[server.name])
            except Unproven as error:
                if server not in peers:
                    raise
                others.remove(server)
                unproven.append(rows.without(name, server, error))
        # The echo answers the same request with bytes that mean nothing.
        ready[ECHO] = ready[mine.name]

        def turn(server: Server) -> tuple[float, float]:
            wanted = accepted if server.name in scenes else ""
            arguments = (CONNECTIONS, load.seconds, ready[server.name], wanted)
            return load.run("post", server, *arguments)

        measured_rows = rows.contest(name, load.rounds, turn, mine, others)
        for row in measured_rows:
            is_peer = row.peer in {peer.name for peer in peers}
            row.goal = one.beside_peers if is_peer else one.at_least
        for row in (*measured_rows, *unproven):
            print(rows.show(row), flush=True)
        return measured_rows + unproven


def _prove(load: rows.Load, scene: Scene, ready: Ready, server: Server, request: Path) -> None:
    count = min(max(PROOF // scene.queues, PROOF_MIN), PROOF_MAX)
    load.run("post", server, CONNECTIONS, PROOF_SECONDS, request, ready.accepted, count)
    prove(scene, ready, server, count)
