"""Why a row is lost where it is, for a reason that no change of the program takes away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trunkline.bench.contest import Figure

LOSSES = {
    ("bus/one-rule", "aioreactive"): (
        "aioreactive calls one filter function and one observer in the same thread: no index of "
        "rules, no copy of the event as JSON, no queue behind it and nothing durable. bubus is the "
        "peer that does comparable work."
    ),
    ("durable/256-tasks", "write+fdatasync"): (
        "The thread of the loop alone is busy for as long as the goal allows for all, most of it "
        "in asyncio: to step a task that awaits one future and writes nothing takes longer than "
        "the peer takes for a message. The disk works meanwhile."
    ),
    ("stream/disk", "write+fdatasync"): (
        "Each byte of a record is written twice: to the journal, which the put waits for, and once "
        "more to a sealed file, which lets the journal go and is read from. The peer writes it "
        "once. While a file is sealed, both share the disk and the two cores."
    ),
}
"""The reason for a row and a peer."""


def reason(contest: str, peer: str) -> str | None:
    """Why we may lose this row to this peer, if there is a reason that stays."""
    return LOSSES.get((contest, peer))


def lines(figures: Sequence[Figure]) -> Iterator[str]:
    """A line for each goal that is missed for such a reason."""
    for figure in figures:
        why = reason(figure.contest, figure.peer)
        if figure.met is False and why is not None:
            yield f"{figure.title} beside {figure.peer}: {why}"
