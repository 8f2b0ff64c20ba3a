"""What the library logs by :mod:`logging`, in the form of the server's own lines."""

from __future__ import annotations

import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.server.log import Log

LOGGER = "trunkline"
"""The logger of the library, above those of its modules."""


class _Lines(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log
        self._form = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line; a stream that takes none stops nothing."""
        try:
            text = record.getMessage()
            raised = record.exc_info
            traceback = self._form.formatException(raised) if raised else None
            level = record.levelname.lower()
            self._log.logged(level, record.name, record.created, text, traceback)
        except Exception:
            self.handleError(record)


def capture(log: Log) -> None:
    """Writes to `log` what the library logs, from the level info on."""
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [_Lines(log)]
