"""Fills in what a recorded call leaves open: names, accounts, parts of earlier answers."""

from __future__ import annotations

import base64
import random
import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from .compare import parsed

UID = re.compile(r"<uid:(\d+)>")
REPEAT = re.compile(r"<repeat:(.)\*(\d+)>", re.DOTALL)
EARLIER = re.compile(r"<<(\d+):([^<>]+)>>")
STEP = re.compile(r"\[(-?\d+)\]|([^.\[\]]+)")
CALLER, OTHER = "111111111111", "222222222222"


class NoSuchPart(Exception):
    """An answer lacks a part that a later call needs, or that AWS's answer has."""


def at(path: str, value: Any) -> Any:
    """The part of `value` at `path`, which may lead into JSON text; ``$`` is all of it."""
    for number, name in STEP.findall(path.removeprefix("$")):
        value = parsed(value)
        try:
            value = value[int(number)] if number else value[name]
        except (LookupError, TypeError):
            raise NoSuchPart(path) from None
    return value


def put(target: Any, path: str, value: Any) -> Any:
    """`target` with `value` at `path`; dicts and lists on the way are made."""
    return _put(target, STEP.findall(path.removeprefix("$")), value)


def _put(target: Any, steps: list[tuple[str, str]], value: Any) -> Any:
    if not steps:
        return value
    (number, name), rest = steps[0], steps[1:]
    if not number:
        inner = (target or {}).get(name)
        return {**(target or {}), name: _put(inner, rest, value)}
    made = list(target or [])
    made.extend([None] * (int(number) + 1 - len(made)))
    made[int(number)] = _put(made[int(number)], rest, value)
    return made


class Filling:
    """One replay's own values for what the recorded calls leave open."""

    def __init__(
        self, calls: list[dict[str, Any]], endpoint: str, definition: str | None = None
    ) -> None:
        self.answers: list[Any] = []
        self.endpoint = endpoint
        self.accounts = {account: f"{random.randrange(10**12):012}" for account in (CALLER, OTHER)}
        self.uids: dict[str, str] = {}
        self._calls = calls
        self._definition = definition

    @cached_property
    def _shift(self) -> timedelta:
        """The recorded times end now."""
        times = re.findall(r"'\$time': '([^']+)'", str(self._calls))
        latest = max(datetime.fromisoformat(text) for text in times)
        return datetime.now(UTC) - latest

    def fill(self, value: Any) -> Any:
        """`value` as this replay sends or expects it."""
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str):
            return self._fill_text(value)
        if not isinstance(value, dict):
            return value
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$definition" in value:
            return self.fill(self._definition)
        if "$time" in value:
            return datetime.fromisoformat(value["$time"]) + self._shift
        return {self._fill_text(key): self.fill(item) for key, item in value.items()}

    def _fill_text(self, text: str) -> Any:
        whole = EARLIER.fullmatch(text)
        if whole is not None:
            return self._earlier(whole)
        text = EARLIER.sub(lambda part: str(self._earlier(part)), text)
        text = REPEAT.sub(lambda part: part[1] * int(part[2]), text)
        text = UID.sub(lambda part: self.uid(part[1]), text)
        text = text.replace("<endpoint>", self.endpoint)
        for recorded, account in self.accounts.items():
            text = text.replace(recorded, account)
        return text

    def uid(self, number: str) -> str:
        """The random part of a name."""
        return self.uids.setdefault(number, f"{random.getrandbits(32):08x}")

    def _earlier(self, part: re.Match[str]) -> Any:
        number = int(part[1])
        try:
            return at(part[2], self.answers[number])
        except (NoSuchPart, IndexError):
            raise NoSuchPart(f"call {number} brought no {part[2]}") from None

    def plain(self, text: str) -> str:
        """`text` with the recorded names for this replay's values, so that scores are stable."""
        for number, uid in self.uids.items():
            text = text.replace(uid, f"<uid:{number}>")
        for recorded, account in self.accounts.items():
            text = text.replace(account, recorded)
        return text.replace(self.endpoint, "<endpoint>")
