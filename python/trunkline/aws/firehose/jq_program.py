"""The child process that evaluates one query: ``python jq_program.py QUERY MEMORY_BYTES``.

A query may multiply what a record has until memory is full, or take for ever. Here it can do so to
itself alone. The program reads records and writes answers, each behind its length in four bytes. An
answer is what the query gives for a record, ``{"ok": ...}``, or ``{"error": "..."}``. The first one
says whether the query is one. This file imports nothing of the package.
"""

from __future__ import annotations

import json
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LENGTH_BYTES = 4


def _answer(told: dict[str, Any]) -> None:
    text = json.dumps(told).encode()
    sys.stdout.buffer.write(len(text).to_bytes(_LENGTH_BYTES, "big") + text)
    sys.stdout.buffer.flush()


def main(query: str, memory: int) -> None:
    """Answers until there is no further record."""
    import jq

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        program = jq.compile(query)
    except ValueError as error:
        _answer({"error": str(error)})
        return
    _answer({"ok": None})
    while head := sys.stdin.buffer.read(_LENGTH_BYTES):
        data = sys.stdin.buffer.read(int.from_bytes(head, "big"))
        try:
            _answer({"ok": next(iter(program.input_text(data.decode())), None)})
        except (ValueError, MemoryError) as error:
            _answer({"error": str(error) or "it needs too much memory"})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
