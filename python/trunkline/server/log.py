"""What the server tells its operator: lines for people, or one JSON object a line.

What the library logs in the background by :mod:`logging`, under the name ``trunkline``, comes out
in the same form. The lines of requests are the core's own.
"""

from __future__ import annotations

import json
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


class Log:
    """Writes to standard output; failures go to standard error."""

    def __init__(self, form: str) -> None:
        self._json = form == "json"

    def capture(self) -> None:
        """Writes from now on what the library logs. A second call changes nothing.

        A server listens before it imports :mod:`logging`, unless something may log before.
        """
        from trunkline.server.captured import capture

        capture(self)

    def say(self, event: str, **facts: object) -> None:
        """Something happened; `facts` are shown in JSON only, where programs read them."""
        self._write("info", event, facts)

    def warn(self, text: str) -> None:
        """Something that the operator may not have meant."""
        self._write("warning", f"warning: {text}", {})

    def hint(self, text: str) -> None:
        """Something only a person wants to know."""
        if not self._json:
            _print(text, sys.stdout)

    def fail(self, why: str) -> int:
        """The reason why the server cannot go on; the status to exit with."""
        event, facts = ("failed", {"why": why}) if self._json else (f"trunkline: {why}", {})
        self._write("error", event, facts)
        return 1

    def logged(
        self, level: str, logger: str, moment: float, text: str, traceback: str | None
    ) -> None:
        """Something that the library logged; the traceback of an exception stands below it."""
        shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
        facts = {"logger": logger, "message": text}
        if traceback is not None:
            facts["traceback"] = traceback
        line = "log" if self._json else f"{shown} {level} {logger}: {text}"
        self._write(level, line, facts, moment)

    def _write(
        self, level: str, event: str, facts: dict[str, object] | dict[str, str], moment: float = 0.0
    ) -> None:
        line = event
        if self._json:
            told = {"time": moment or time.time(), "level": level, "event": event}
            line = json.dumps(told | facts, default=str)
        elif "traceback" in facts:
            line = f"{event}\n{facts['traceback']}"
        is_failure = level in ("error", "critical")
        _print(line, sys.stderr if is_failure else sys.stdout)


def _print(line: str, stream: TextIO) -> None:
    # In one piece: threads log at the same time.
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except (OSError, ValueError):
        # A reader that has gone, as `head` does, or a closed stream stops no server.
        pass
