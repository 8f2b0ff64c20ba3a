"""Which recorded answer belongs to which call, and what of ours is held against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from .compare import INFRASTRUCTURE, NOTHING, Comparison, Difference, is_ids, parsed
from .values import Filling, NoSuchPart, at, put

TYPE_AND_VALUE = {"exception_typename", "exception_value"}


class Answers:
    """The recorded answers of one case; those of the replay are in `filling`."""

    def __init__(self, content: dict[str, Any], filling: Filling) -> None:
        self._calls: list[dict[str, Any]] = content["calls"]
        self._aws: dict[str, Any] = content["aws"]
        self._ties: list[dict[str, Any]] = content["answers"] or self._only_error()
        self._filling = filling
        self.noted: dict[int, dict[str, Any]] = {}
        """Status, body and headers of the answers to plain requests, by the number of the call."""

    def _only_error(self) -> list[dict[str, Any]]:
        """The tie of a recording that holds nothing but one error: the last call brought it.

        Such a case expects the error around its call, so that the call looks as if it went well.
        """
        answers = list(self._aws.items())
        if len(answers) != 1 or not is_error(answers[0][1]):
            return []
        last = len(self._calls)
        return [{"key": answers[0][0], "after": last, "from": [["$", last - 1, "$"]]}]

    def due(self, made: int) -> Iterator[tuple[dict[str, Any], Any]]:
        """The ties of what was noted when so many calls had been made, with AWS's answer."""
        for tie in self._ties:
            if tie["after"] == made:
                yield tie, self._filling.fill(self._aws[tie["key"]])

    def tied(self, number: int) -> tuple[str, Any, str] | None:
        """Where AWS's answer to a call is told, the answer, and which part of ours it is."""
        for tie in self._ties:
            if len(tie["from"]) == 1 and tie["from"][0][1] == number:
                target, _, source = tie["from"][0]
                expected = self._filling.fill(self._aws[tie["key"]])
                try:
                    return tie["key"], at(target, expected), source
                except NoSuchPart:
                    return None
        return None

    def decides(self, number: int, has_failed: bool) -> bool:
        """Whether AWS's own answer to a call is known, and is an error or none as ours is."""
        keys = [
            tie["key"] for tie in self._ties if any(source[1] == number for source in tie["from"])
        ]
        return any(is_error(self._aws[key]) or not has_failed for key in keys)

    def wanted(self, number: int) -> int:
        """How many messages a receive brings, as far as that is known."""
        seen = len(self._calls[number].get("saw", ()))
        tied = self.tied(number)
        if tied is not None:
            messages = tied[1].get("Messages", ()) if isinstance(tied[1], dict) else tied[1]
            # What was noted once may have been collected by several calls.
            return seen or (len(messages) if isinstance(messages, list) else 0)
        return seen

    def part(self, answer: dict[str, Any], source: str) -> Any:
        """A part of an answer as the recorder saw it."""
        if source == "error":
            if "$text" not in answer:
                raise NoSuchPart("error: the call succeeded")
            return answer["$text"]
        return at(source, visible(answer))

    def compare(
        self, comparison: Comparison, tie: dict[str, Any], expected: Any
    ) -> Difference | None:
        """The first difference of one recorded answer."""
        key = tie["key"]
        if not tie["from"]:
            plain = self._plain(tie["after"] - 1, expected)
            if plain is not NOTHING:
                return comparison.differs(key, expected, plain)
            return self._search(comparison, key, expected)
        try:
            actual = self._build(tie, expected)
        except NoSuchPart as missing:
            return Difference(f"{key}{str(missing).removeprefix('$')}", expected, NOTHING)
        return comparison.differs(key, expected, actual)

    def _build(self, tie: dict[str, Any], expected: Any) -> Any:
        answers = self._filling.answers
        if isinstance(expected, dict) and expected.keys() == {
            "exception_message",
            "exception_type",
        }:
            return as_exception(answers[tie["from"][0][1]], expected)
        if isinstance(expected, dict) and expected.keys() == TYPE_AND_VALUE:
            return type_and_value(answers[tie["from"][0][1]])
        gathered = self._gathered(tie, expected)
        if gathered is not None:
            return gathered
        built: Any = None
        for target, number, source in tie["from"]:
            if number >= len(answers):
                raise NoSuchPart(target)
            built = put(built, target, self.part(answers[number], source))
            if number in self.noted and isinstance(built, dict) and isinstance(expected, dict):
                # The recorder noted these beside the body, by names of its own.
                for name, value in self._beside(number).items():
                    if name in expected and target != "$":
                        built.setdefault(name, value)
        return built

    def _beside(self, number: int) -> dict[str, Any]:
        noted = self.noted[number]
        names = ("status", "status_code", "statusCode", "status-code")
        error_type = noted["headers"].get("x-amzn-errortype")
        return {**dict.fromkeys(names, noted["status"]), "errorType": error_type}

    def _plain(self, number: int, expected: Any) -> Any:
        """The answer to a plain request that was noted right behind it without a source."""
        if number not in self.noted:
            return NOTHING
        noted = self.noted[number]
        if not isinstance(expected, dict) or not expected.keys() & {"content", "body", "headers"}:
            return NOTHING
        text = noted["told"]
        built = self._beside(number)
        for name in ("content", "body"):
            as_bytes = str(expected.get(name, "")).startswith("b'")
            built[name] = f"b{text!r}" if as_bytes else parsed(text)
        told = expected.get("headers") or {}
        # What a connection and AWS's own caches add is not ours to have.
        built["headers"] = {
            name: value if name.lower() in INFRASTRUCTURE else noted["headers"].get(name.lower())
            for name, value in told.items()
        }
        return {name: value for name, value in built.items() if name in expected}

    def _gathered(self, tie: dict[str, Any], expected: Any) -> Any:
        """Messages that several calls brought, where one of the calls stands for all."""
        messages = expected.get("Messages") if isinstance(expected, dict) else None
        first = self._calls[min(tie["from"][0][1], len(self._calls) - 1)]
        partly = tie["from"][0][0] != "$" and len(tie["from"]) < len(messages or ())
        late = tie["from"][0][1] >= len(self._filling.answers)
        if not messages or first["op"] != "ReceiveMessage" or not (partly or late):
            return None
        since = max(
            (other["after"] for other in self._ties if other["after"] < tie["after"]), default=0
        )
        brought: list[Any] = []
        for number in range(since, len(self._filling.answers)):
            call = self._calls[number]
            same = (
                call["op"] == first["op"]
                and call["params"]["QueueUrl"] == first["params"]["QueueUrl"]
            )
            if same:
                brought += self._filling.answers[number].get("Messages", [])
        return {"Messages": brought}

    def _search(self, comparison: Comparison, key: str, expected: Any) -> Difference | None:
        """Looks for what was noted without a source in all answers, the newest first."""
        for answer in reversed(self._filling.answers):
            for part in parts(visible(answer)):
                if comparison.differs(key, expected, part) is None:
                    return None
        if is_ids(expected):
            # It tells of no answer: the ids in it were compared where they came from.
            return None
        return Difference(key, expected, "no answer that holds it")

    def brings(self, number: int, answer: dict[str, Any], trial: Comparison) -> bool:
        """Whether a read brings what was noted right behind it without a source."""
        for tie in self._ties:
            if tie["from"] or tie["after"] != number + 1:
                continue
            expected = self._filling.fill(self._aws[tie["key"]])
            found = parts(visible(answer))
            if all(trial.differs(tie["key"], expected, part) is not None for part in found):
                return False
        return True

    def certificate(self) -> str:
        """The address of the certificate that the newest message names."""
        for answer in reversed(self._filling.answers):
            for part in parts(answer):
                if isinstance(part, dict):
                    # A function gets it by the second name.
                    named = part.get("SigningCertURL") or part.get("SigningCertUrl")
                    if named:
                        return str(named)
        raise NoSuchPart("no message names a SigningCertURL")


def is_error(answer: Any) -> bool:
    """Whether a recorded answer tells of an error."""
    named = isinstance(answer, dict) and answer.keys() == TYPE_AND_VALUE
    return named or "Error" in json.dumps(answer)


def visible(answer: Any) -> Any:
    """An answer as the recorder keeps it: of the metadata, the status."""
    if not isinstance(answer, dict):
        return answer
    shown = {key: value for key, value in answer.items() if not key.startswith("$")}
    if "ResponseMetadata" in shown:
        status = shown["ResponseMetadata"]["HTTPStatusCode"]
        shown["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": status}
    return shown


def as_exception(answer: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """An error as the suite's tests of patterns note it, with the message also cut."""
    if "$type" not in answer:
        return {"exception_message": visible(answer), "exception_type": "no error"}
    shown = visible(answer)
    if "MessageRaw" in expected["exception_message"]["Error"]:
        raw = shown["Error"]["Message"]
        cut = raw.split("\n at [Source")[0]
        shown["Error"] = {**shown["Error"], "Message": cut, "MessageRaw": raw}
    return {"exception_message": shown, "exception_type": answer["$type"]}


def type_and_value(answer: dict[str, Any]) -> dict[str, Any]:
    """An error as the suite's tests of state machines note it."""
    if "$type" not in answer:
        return {"exception_typename": "no error", "exception_value": visible(answer)}
    return {"exception_typename": answer["Error"]["Code"], "exception_value": answer["$text"]}


def logged(events: list[Any]) -> list[Any]:
    """The log events that are JSON: what functions wrote of their events."""
    messages = [event.get("message") for event in events if isinstance(event, dict)]
    return [json.loads(text) for text in messages if isinstance(text, str) and text[:1] == "{"]


def _children(xml: str) -> Iterator[tuple[str, str]]:
    for child in ElementTree.fromstring(xml):
        yield child.tag, child.text or ""


def parts(value: Any) -> Iterator[Any]:
    """A value and all that is in it, JSON text and bytes included."""
    value = parsed(value)
    if isinstance(value, str) and value.startswith("<?xml"):
        # Suites parsed the errors of S3.
        value = {ElementTree.fromstring(value).tag: dict(_children(value))}
    yield value
    if isinstance(value, dict):
        bare = {key: item for key, item in value.items() if key != "ResponseMetadata"}
        if len(bare) < len(value):
            yield bare
        if isinstance(value.get("events"), list):
            yield logged(value["events"])
        for item in value.values():
            yield from parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from parts(item)
