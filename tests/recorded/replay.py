"""Makes a case's calls in order, and compares what came back with what AWS answered."""

from __future__ import annotations

import re
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .answers import Answers
from .cases import Case
from .client import callers, fetch
from .compare import Comparison, parsed
from .functions import archive
from .receive import receive
from .values import CALLER, Filling, NoSuchPart

PATIENCE = 60.0
"""Seconds that the reads of one case are repeated for, all together."""

MINUTELY = "rate(1 minute)"
DUE = 75.0

READ = re.compile(r"(Get|List|Describe|Filter)[A-Z]")
PAUSE = 0.03
UNSENT = "ParamValidationError"
"""The error of an input that botocore does not send: the service never saw the call."""


class Stopped(Exception):
    """The replay cannot go on; the text is the first difference."""


class Replay:
    """One case on its way."""

    def __init__(self, case: Case, patience: float) -> None:
        content = case.content
        self.calls: list[dict[str, Any]] = content["calls"]
        self.callers = callers()
        self.filling = Filling(self.calls, self.callers.url, content.get("definition"))
        self.deadline = time.monotonic() + max(patience, due_after(self.calls))
        words = frozenset(word for word in content.get("words", ()) if "<" not in word)
        self.comparison = Comparison(words, frozenset(content.get("unordered", ())))
        self.comparison.own = self.filling.uids
        self.comparison.recorded = content["recorded"]
        self.answers = Answers(content, self.filling)
        self.functions = content.get("functions")

    def run(self) -> str | None:
        """The first difference from AWS, or None."""
        try:
            for number, call in enumerate(self.calls):
                self._make(number, call)
                self._compare(number + 1)
        except (Stopped, NoSuchPart) as stopped:
            return self.filling.plain(str(stopped))
        return None

    def _make(self, number: int, call: dict[str, Any]) -> None:
        """Makes one call; repeats a read until it agrees or time is up."""
        try:
            if "http" in call:
                self.filling.answers.append(self._fetch(number, call))
                return
            answer = self._call(number, call)
            while READ.match(call["op"]) and not self._agrees(number, call, answer):
                if time.monotonic() > self.deadline:
                    break
                time.sleep(PAUSE)
                answer = self._call(number, call)
        except NoSuchPart as missing:
            raise Stopped(f"call {number}, {call.get('op', 'http')}: {missing}") from None
        self.filling.answers.append(answer)
        self._check_outcome(number, call, answer)

    def _call(self, number: int, call: dict[str, Any]) -> dict[str, Any]:
        account = self.filling.accounts[call.get("as", CALLER)]
        region = call.get("region", "us-east-1")
        params = self._filled(call["params"])
        if call["op"] == "CreateFunction":
            module = str(params.get("Handler", "handler.handler")).rpartition(".")[0]
            params["Code"] = {"ZipFile": archive(self.functions, module)}
        if call["op"] == "CreateDeliveryStream":
            unbuffered(params)
        if call.get("error") == UNSENT:
            text = self.callers.refused(call["service"], call["op"], params)
            error = {"Error": {"Code": UNSENT}, "$type": UNSENT, "$text": text}
            return error | {"told": {"exception_typename": UNSENT, "exception_value": text}}

        def send(changes: dict[str, Any]) -> dict[str, Any]:
            return self.callers.call(
                call["service"], region, account, call["op"], {**params, **changes}
            )

        try:
            if call["op"] == "ReceiveMessage":
                return receive(send, params, self.answers.wanted(number), self.deadline)
            return send({})
        except ClientError as error:
            return {**error.response, "$type": str(type(error)), "$text": plain_text(error)}
        except BotoCoreError as error:
            raise Stopped(f"call {number}, {call['op']}: {error}") from error

    def _filled(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters; reads again what an earlier read did not bring yet."""
        while True:
            try:
                filled: dict[str, Any] = self.filling.fill(params)
            except NoSuchPart as missing:
                earlier = re.match(r"call (\d+) ", str(missing))
                call = self.calls[int(earlier[1])] if earlier else {}
                is_late = time.monotonic() > self.deadline
                if earlier is None or is_late or not READ.match(call.get("op", "")):
                    raise
                time.sleep(PAUSE)
                number = int(earlier[1])
                self.filling.answers[number] = self._call(number, call)
            else:
                return filled

    def _agrees(self, number: int, call: dict[str, Any], answer: dict[str, Any]) -> bool:
        """Whether a repetition would change nothing: all that is known of the answer is there."""
        if outcome(call) != outcome_of(answer):
            return False
        expected = self.answers.tied(number)
        if expected is None:
            return self.answers.brings(number, answer, self._trial())
        path, value, source = expected
        try:
            part = self.answers.part(answer, source)
        except NoSuchPart:
            return False
        return self._trial().differs(path, value, part) is None

    def _trial(self) -> Comparison:
        """A comparison that binds nothing for good."""
        return Comparison(
            self.comparison.words,
            self.comparison.unordered,
            dict(self.comparison.bound),
            self.filling.uids,
            self.comparison.recorded,
        )

    def _check_outcome(self, number: int, call: dict[str, Any], answer: dict[str, Any]) -> None:
        decided = self.answers.decides(number, "$type" in answer)
        if outcome(call) != outcome_of(answer) and not decided:
            text = answer.get("$text", outcome_of(answer))
            raise Stopped(f"call {number}, {call['op']}: {outcome(call)} expected, got {text}")

    def _fetch(self, number: int, call: dict[str, Any]) -> Any:
        url = self.filling.fill(call["url"])
        if "/_aws/sns/SimpleNotificationService-" in url:
            url = self.answers.certificate()
        headers, sent = self.filling.fill(call["headers"]), call["body"]
        body = sent if isinstance(sent, dict) else self.filling.fill(sent)
        status, told, lines = fetch(call["http"], url, headers, body)
        if status != call["status"]:
            where = url.replace(self.callers.url, "<endpoint>")
            raise Stopped(
                f"call {number}, {where}: {call['status']} expected, got {status}: {told[:200]}"
            )
        self.answers.noted[number] = {"status": status, "told": told, "headers": lines}
        return parsed(told)

    def _compare(self, made: int) -> None:
        """Compares what was noted when so many calls had been made."""
        for key, expected in self.answers.due(made):
            difference = self.answers.compare(self.comparison, key, expected)
            if difference is not None:
                raise Stopped(str(difference))


def due_after(calls: list[dict[str, Any]]) -> float:
    """Seconds until a rule with a schedule falls due, and some more."""
    is_due = any(call.get("params", {}).get("ScheduleExpression") == MINUTELY for call in calls)
    receives = any(call.get("op") == "ReceiveMessage" for call in calls)
    return DUE if is_due and receives else 0


def unbuffered(params: dict[str, Any]) -> None:
    """Lets a delivery stream deliver at once, where the recording waited for its buffer."""
    for name, destination in params.items():
        if name.endswith("DestinationConfiguration") and "BufferingHints" in destination:
            destination["BufferingHints"]["IntervalInSeconds"] = 0


def plain_text(error: ClientError) -> str:
    """What the error says, without botocore's word about the attempts that it did not make."""
    return re.sub(r" \(reached max retries: \d+\)", "", str(error), count=1)


def outcome(call: dict[str, Any]) -> str:
    """The recorded end of a call in a word."""
    return "ok" if call.get("ok") else str(call["error"])


def outcome_of(answer: dict[str, Any]) -> str:
    """The same of an answer of ours."""
    return str(answer["Error"]["Code"]) if "$type" in answer else "ok"


def replay(case: Case, patience: float = PATIENCE) -> str | None:
    """The first difference of a case from AWS, or None."""
    return Replay(case, patience).run()
