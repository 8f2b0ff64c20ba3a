"""Is an answer the recorded one? Placeholders bind to values, by rules for each kind of value.

The grammar of the recorded values is told in ``README.md``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TOKEN = re.compile(r"<([a-z][a-zA-Z0-9_-]*|[A-Za-z]\w*_\d+idx)(?::([^<>]*))?>")

INFRASTRUCTURE = frozenset(
    (
        *("connection", "content-length", "date", "via", "x-amz-cf-id", "x-amz-cf-pop", "x-cache"),
        *("x-amzn-trace-id", "x-amz-apigw-id", "x-amzn-requestid"),
    )
)
"""Headers that a connection and AWS's own caches add."""

# What a placeholder's value looks like; any text that is not empty for those that are not listed.
SHAPES = {
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "md5-hash": r"[0-9a-f]{32}",
    "m-d5-of-body": r"[0-9a-f]{32}",
    "partition": r"aws",
    "region": r"[a-z]{2}(?:-[a-z]+)+-\d",
    "account": r"\d{12}",
    "account-id": r"\d{12}",
    "sequence-number": r"\d+",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?",
    "time-ms": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}
# These stand for a new value each time, although the same text stands there.
UNBOUND = {"region", "md5-hash", "signature", "timestamp", "datetime", "time-ms"} | {
    "ingestion-time",
    "approximate-first-receive-timestamp",
    "host-id",
}
# Two of these may be equal: a queue and a topic count each for itself.
SHARED = {"sequence-number"}
# A suite that renamed a placeholder once more wrote it so.
RENAMED = re.compile(r"<<([a-z-]+)>:(\d+)>")
TIMES = {"date", "datetime", "timestamp"}
# AWS takes an unsubscribe link that anyone can write; ours has a secret in front of the ARN.
LINK_TOKEN = re.compile(r"(?<=\?Action=Unsubscribe&)Token=[0-9a-f]{32}&")

# Members that AWS's answers have since a day: recordings that are older lack them.
SINCE = {
    "encryptionConfiguration": "2024-07-25",
    "redriveCount": "2023-11-15",
    "RedriveCount": "2024-07-13",
    "RedriveStatus": "2024-07-13",
    "RedriveStatusReason": "2024-07-13",
}

HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
TIME = re.compile(
    r"(?:\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4})[T ]\d\d:\d\d:\d\d.*|\d{10,13}(?:\.\d+)?"
    rf"|{HTTP_DATE.pattern}"
)
TIME_TEXT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
DURATION = "billedDurationInMilliseconds"
MAP_RUN_NAMED = "2024-11-01"
"""Since then the exit from a map names the start of its run, not the end, as the event before."""
# The length of an answer moves with the digits of its times.
LENGTH = re.compile(r"Content-Length\b[^.]*$")
NOTHING = object()


@dataclass
class Difference(Exception):
    """The first place where an answer differs from the recorded one."""

    path: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        if self.actual is NOTHING:
            return f"{self.path}: {show(self.expected)} is missing"
        if self.expected is NOTHING:
            return f"{self.path}: {show(self.actual)} is too much"
        return f"{self.path}: {show(self.expected)} expected, got {show(self.actual)}"


@dataclass
class Comparison:
    """What one case's placeholders are bound to, and the rules that its file names."""

    words: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    bound: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    """The random parts that the replay chose, by number: a suite may have chosen UUIDs there."""
    recorded: str = "9999-12-31"
    """The day of the recording."""

    def differs(self, path: str, expected: Any, actual: Any) -> Difference | None:
        """The first difference; placeholders stay bound only if there is none."""
        before = dict(self.bound)
        try:
            if path in self.unordered and isinstance(expected, list):
                self._match_unordered(path, expected, actual)
            else:
                self.match(path, expected, actual)
        except Difference as difference:
            self.bound = before
            return difference
        return None

    def match(self, path: str, expected: Any, actual: Any) -> None:
        """Raises Difference unless `actual` is what was recorded."""
        if isinstance(expected, dict | list) and isinstance(actual, str | bytes):
            actual = as_lines(actual) if is_lines(expected) else parsed(actual)
        if isinstance(expected, dict):
            self._match_dict(path, expected, actual)
        elif isinstance(expected, list):
            self._match_list(path, expected, actual)
        elif isinstance(expected, str):
            self._match_text(path, expected, actual)
        elif path.endswith(DURATION) and isinstance(actual, int):
            return
        elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
            raise Difference(path, expected, actual)

    def _match_dict(self, path: str, expected: dict[str, Any], actual: Any) -> None:
        if not isinstance(actual, dict):
            raise Difference(path, expected, actual)
        expected, actual = self._without_age(expected, actual)
        if path.endswith(".Headers"):
            expected, actual = sent(expected), sent(actual)
        if "_normalized" in expected and "Message" in actual:
            # How suites note a message without the position that a parser adds.
            actual = {**actual, "_normalized": actual["Message"].split("\n at [Source")[0]}
        for key, value in expected.items():
            if key not in actual:
                raise Difference(f"{path}.{key}", value, NOTHING)
            if key in self.unordered and isinstance(value, list):
                self._match_unordered(f"{path}.{key}", value, actual[key])
            else:
                self.match(f"{path}.{key}", value, actual[key])
        for key in actual.keys() - expected.keys():
            if self.recorded < SINCE.get(key, ""):
                continue
            raise Difference(f"{path}.{key}", NOTHING, actual[key])

    def _without_age(
        self, expected: dict[str, Any], actual: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What AWS named otherwise when the case was recorded is left out."""
        is_old = self.recorded < MAP_RUN_NAMED and expected.get("type") == "MapStateExited"
        if is_old and "previousEventId" in actual:
            return without(expected, "previousEventId"), without(actual, "previousEventId")
        return expected, actual

    def _match_list(self, path: str, expected: list[Any], actual: Any) -> None:
        if not isinstance(actual, list):
            raise Difference(path, expected, actual)
        if any(map(has_no_order, expected)):
            actual = without_lost(expected, actual)
            if len(expected) == len(actual):
                expected, actual = self._match_events(path, expected, actual)
        for number, value in enumerate(expected):
            if number >= len(actual):
                raise Difference(f"{path}[{number}]", value, NOTHING)
            self.match(f"{path}[{number}]", value, actual[number])
        if len(actual) > len(expected):
            raise Difference(f"{path}[{len(expected)}]", NOTHING, actual[len(expected)])

    def _match_events(
        self, path: str, expected: list[Any], actual: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Matches the events of branches, whose order chance decides; returns the others."""
        loose = [at for at, event in enumerate(expected) if has_no_order(event)]
        numbers = ("id", "previousEventId", "timestamp")
        self._match_unordered(
            path,
            [without(expected[at], *numbers) for at in loose],
            [without(actual[at], *numbers) for at in loose],
        )
        rest = [at for at in range(len(expected)) if at not in loose]
        return [expected[at] for at in rest], [actual[at] for at in rest]

    def _match_unordered(self, path: str, expected: list[Any], actual: Any) -> None:
        """Each recorded element takes an element of the answer; goes back where that was wrong."""
        if not isinstance(actual, list) or len(actual) != len(expected):
            self._match_list(path, expected, actual)
            return
        before = dict(self.bound)
        if not self._assign(path, expected, actual):
            self.bound = before
            self._match_list(path, expected, actual)

    def _assign(self, path: str, expected: list[Any], actual: list[Any]) -> bool:
        if not expected:
            return True
        for number, value in enumerate(actual):
            before = dict(self.bound)
            if self.differs(path, expected[0], value) is None and self._assign(
                path, expected[1:], actual[:number] + actual[number + 1 :]
            ):
                return True
            self.bound = before
        return False

    def _match_text(self, path: str, expected: str, actual: Any) -> None:
        if isinstance(actual, bytes):
            actual = repr(actual)
        if expected in self.words or expected in TIMES:
            self._match_word(path, expected, actual)
            return
        if isinstance(actual, datetime):
            actual = actual.isoformat()
        if not isinstance(actual, str):
            # A suite may write a number as a placeholder; it is then bound as text.
            if isinstance(actual, int | float) and TOKEN.fullmatch(expected):
                actual = str(actual)
            else:
                raise Difference(path, expected, actual)
        actual = LINK_TOKEN.sub("", actual)
        if expected == actual or (LENGTH.search(path) and actual.isdigit()):
            return
        if HTTP_DATE.fullmatch(expected) and HTTP_DATE.fullmatch(actual):
            return
        if expected[:1] in "{[" and isinstance(parsed(expected), dict | list):
            self.match(path, parsed(expected), parsed(actual))
            return
        self._bind(path, expected, actual)

    def _match_word(self, path: str, expected: str, actual: Any) -> None:
        if expected in TIMES:
            if isinstance(actual, list) and len(actual) == 1:
                # Suites replaced the list of a header by the word for what is in it.
                actual = actual[0]
            fits = isinstance(actual, datetime) or TIME.fullmatch(str(actual)) is not None
        else:
            fits = actual not in (None, "")
        if not fits:
            raise Difference(path, expected, actual)

    def _bind(self, path: str, expected: str, actual: str) -> None:
        names: list[str] = []
        expected = RENAMED.sub(r"<\1:\2>", expected)
        found = re.fullmatch(self._pattern(expected, names), actual, re.DOTALL)
        if found is None:
            raise Difference(path, self._filled(expected), actual)
        for name, value in zip(names, found.groups(), strict=True):
            kind = TOKEN.fullmatch(name)
            if kind is None or ":" not in name or kind[1] in SHARED:
                pass
            elif self._taken(kind[1], value):
                raise Difference(path, f"a value that is new for {name}", value)
            self.bound[name] = value

    def _taken(self, kind: str, value: str) -> bool:
        """Whether another placeholder of the kind has the value: two numbers are two values."""
        return any(
            other == value for name, other in self.bound.items() if name.startswith(f"<{kind}:")
        )

    def _pattern(self, expected: str, names: list[str]) -> str:
        parts, position = [], 0
        for token in TOKEN.finditer(expected):
            parts.append(self._literal(expected[position : token.start()]))
            position = token.end()
            name, kind = token[0], token[1]
            shape = "|".join([SHAPES.get(kind, r".+?"), *self.own.values()])
            if name in self.bound:
                parts.append(re.escape(self.bound[name]))
            elif name in names:
                parts.append(rf"\{names.index(name) + 1}")
            elif kind in UNBOUND:
                parts.append(f"(?:{shape})")
            else:
                names.append(name)
                parts.append(f"({shape})")
        return "".join([*parts, self._literal(expected[position:])])

    def _literal(self, text: str) -> str:
        """A pattern for text without placeholders; the file's words for times are times."""
        pattern = re.escape(text)
        for word in self.words & TIMES:
            # In the name of a file, an underscore may stand before it.
            either = f"(?:{TIME_TEXT}|{word})"
            pattern = re.sub(rf"(?<![a-zA-Z]){word}\b", lambda _, found=either: found, pattern)
        for word in self.words - TIMES:
            # A name that the suite gave, such as role_arn, stands for a value inside of text too.
            if "_" in word:
                pattern = re.sub(rf"\b{re.escape(word)}\b", lambda _: ".+?", pattern)
            elif " " in word:
                pattern = pattern.replace(re.escape(word), ".+? :" if word[-1] == ":" else ".+?")
        return pattern

    def _filled(self, expected: str) -> str:
        return TOKEN.sub(lambda token: self.bound.get(token[0], token[0]), expected)


def has_no_order(event: Any) -> bool:
    """Whether a suite wrote a word for the number of an event of a branch."""
    return isinstance(event, dict) and event.get("id") == [0]


def without_lost(expected: list[Any], actual: list[Any]) -> list[Any]:
    """The events but that behind the branches of a Parallel state, if the suite lost it.

    The words stand in a row, and the event behind them has a number that tells what is lost.
    """
    words = [at for at, event in enumerate(expected) if has_no_order(event)]
    last = words[-1]
    if last + 1 >= len(expected) or words != list(range(words[0], last + 1)):
        return actual
    lost = expected[last + 1]["id"] - (last + 2)
    known = last + 1 + lost
    kinds = [event.get("type") for event in actual[last + 1 : known]]
    is_lost = lost == 1 and kinds in (["ParallelStateSucceeded"], ["ParallelStateFailed"])
    return actual[: last + 1] + actual[known:] if is_lost else actual


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    """The members but for these."""
    return {name: value for name, value in members.items() if name not in names}


def sent(headers: dict[str, Any]) -> dict[str, Any]:
    """What a service sent, by names in small letters: not what connections and caches add."""
    small = {name.lower(): value for name, value in headers.items()}
    return without(small, *INFRASTRUCTURE)


def is_ids(value: Any) -> bool:
    """Whether a suite noted ids alone, in a dict of its own."""
    if isinstance(value, dict) and value:
        return all(isinstance(one, str) and TOKEN.search(one) for one in value.values())
    return False


def is_lines(value: Any) -> bool:
    """Whether a suite cut a text into numbered lines."""
    names = list(value) if isinstance(value, dict) else []
    return bool(names) and names == [f"line{at:02}" for at in range(len(names))]


def as_lines(text: str | bytes) -> dict[str, str]:
    """A text as numbered lines."""
    lines = (text.decode() if isinstance(text, bytes) else text).split("\n")
    return {f"line{at:02}": line for at, line in enumerate(lines)}


def parsed(value: Any) -> Any:
    """JSON text as what it says; anything else as it is."""
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def show(value: Any) -> str:
    """A value in a few words."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= 240 else f"{text[:240]}..."
