"""What the server tells its operator: lines for people, or one JSON object a line."""

from __future__ import annotations

import json
import sys
import time


class Log:
    """Writes to standard output; failures go to standard error."""

    def __init__(self, form: str) -> None:
        self._json = form == "json"

    def say(self, event: str, **facts: object) -> None:
        """Something happened; `facts` are shown in JSON only, where programs read them."""
        if self._json:
            print(json.dumps({"time": time.time(), "event": event, **facts}), flush=True)
        else:
            print(event, flush=True)

    def hint(self, text: str) -> None:
        """Something only a person wants to know."""
        if not self._json:
            print(text, flush=True)

    def fail(self, why: str) -> int:
        """The reason why the server cannot go on; the status to exit with."""
        if self._json:
            line = json.dumps({"time": time.time(), "event": "failed", "why": why})
        else:
            line = f"trunkline: {why}"
        print(line, file=sys.stderr, flush=True)
        return 1
