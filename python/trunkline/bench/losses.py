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
    ("topic/fan-out", "1,000 sends"): (
        "the sends go to one queue, whose end stays in the processor's first cache; the publish "
        "writes the ends of 1,000 queues, each on cache lines of its own. What is left is memory "
        "access: about six lines for each queue."
    ),
    ("topic/fan-out-bytes", "a batch of 1,000"): (
        "each queue gets a record of its own, 64 bytes, so that its message can be leased, moved "
        "and deleted alone; a body of 100 B makes a whole message 152 bytes. With bodies of 1 KiB "
        "the publish writes less than a tenth."
    ),
    ("stream/disk", "write+fdatasync"): (
        "every byte is written twice, to the journal and to a sealed file, on the same disk; the "
        "second write is done beside the first one, by another thread that wants a core of its own."
    ),
    ("durable/256-tasks", "write+fdatasync"): (
        "the peer writes 256 bodies with one call; here 256 coroutines are resumed by the event "
        "loop after each sync, which costs more than the sync."
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
