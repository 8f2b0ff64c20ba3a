"""The error of the command, apart from what only some of its verbs import."""

from __future__ import annotations


class CommandError(Exception):
    """What a command cannot do, and the remedy."""

    def __init__(self, code: str, text: str, hint: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.hint = hint


class UsageError(CommandError):
    """Arguments that no command takes together: a mistake like an option that there is none of."""
