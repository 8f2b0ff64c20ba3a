"""What the server tells its operator: lines for people, or one JSON object a line.

Everything goes through :mod:`logging`: what the library logs in the background under the name
``trunkline`` comes out in the same form. The lines of requests are the core's own.
"""

from __future__ import annotations

import json
import logging
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Handler
    from typing import TextIO

LOGGER = "trunkline"
"""The logger of the library, above those of its modules."""


class _Form(logging.Formatter):
    def __init__(self, *, is_json: bool) -> None:
        super().__init__()
        self._is_json = is_json

    def format(self, record: logging.LogRecord) -> str:
        """A line, and below it the traceback of an exception."""
        facts = getattr(record, "facts", None)
        if not self._is_json:
            text = record.getMessage()
            if facts is None:
                moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
                text = f"{moment} {record.levelname.lower()} {record.name}: {text}"
            return text if record.exc_info is None else f"{text}\n{self._traceback(record)}"
        told: dict[str, object] = {"time": record.created, "level": record.levelname.lower()}
        if facts is None:
            told |= {"event": "log", "logger": record.name, "message": record.getMessage()}
        else:
            told |= {"event": record.getMessage(), **facts}
        if record.exc_info is not None:
            told["traceback"] = self._traceback(record)
        return json.dumps(told, default=str)

    def _traceback(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info else ""


class Log:
    """Writes to standard output; failures go to standard error."""

    def __init__(self, form: str) -> None:
        self._json = form == "json"
        self._logger = logging.getLogger(LOGGER)
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.handlers = [
            self._handler(sys.stdout, lambda record: record.levelno < logging.ERROR),
            self._handler(sys.stderr, lambda record: record.levelno >= logging.ERROR),
        ]

    def _handler(self, stream: TextIO, wanted: Callable[[logging.LogRecord], bool]) -> Handler:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(_Form(is_json=self._json))
        handler.addFilter(wanted)
        return handler

    def say(self, event: str, **facts: object) -> None:
        """Something happened; `facts` are shown in JSON only, where programs read them."""
        self._logger.info(event, extra={"facts": facts})

    def warn(self, text: str) -> None:
        """Something that the operator may not have meant."""
        self._logger.warning(f"warning: {text}", extra={"facts": {}})

    def hint(self, text: str) -> None:
        """Something only a person wants to know."""
        if not self._json:
            print(text, flush=True)

    def fail(self, why: str) -> int:
        """The reason why the server cannot go on; the status to exit with."""
        event, facts = ("failed", {"why": why}) if self._json else (f"trunkline: {why}", {})
        self._logger.error(event, extra={"facts": facts})
        return 1
