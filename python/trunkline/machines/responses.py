"""Mocks that a file holds, in the form of the ``MockedResponses`` of Step Functions Local."""

from __future__ import annotations

import re

from trunkline.machines.mocks import TaskFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ATTEMPTS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


class MalformedResponses(ValueError):
    """A text does not say what tasks give."""


class NoResponse(AssertionError):
    """A task was called more often than its mock says."""


def mock_of(name: str, responses: Any) -> Callable[[Any], Any]:
    """The mock for `states.test` that gives these responses, one a call.

    >>> mock = mock_of("Charge", {"0": {"Throw": {"Error": "Busy"}}, "1-2": {"Return": 7}})
    >>> mock({}), mock({}), mock({})
    (TaskFailed('Busy'), 7, 7)
    """
    if not isinstance(responses, dict) or not responses:
        raise MalformedResponses(f"{name}: the mock is no object with responses.")
    if not responses.keys().isdisjoint(("Return", "Throw")):
        always = _response(name, responses)
        return lambda _: always
    by_call: list[tuple[range, Any]] = []
    for key, response in responses.items():
        read = _ATTEMPTS.fullmatch(key)
        if read is None:
            raise MalformedResponses(f"{name}: {key!r} is no number of calls, such as 0 or 1-3.")
        first = int(read[1])
        by_call.append((range(first, int(read[2] or first) + 1), _response(name, response)))
    return _Calls(name, by_call)


class _Calls:
    """Counts the calls of a task, and gives each its response."""

    def __init__(self, name: str, by_call: list[tuple[range, Any]]) -> None:
        self._name = name
        self._by_call = by_call
        self._next = 0

    def __call__(self, _: Any) -> Any:
        number, self._next = self._next, self._next + 1
        for calls, response in self._by_call:
            if number in calls:
                return response
        raise NoResponse(f"{self._name}: the mock has no response for call {number}.")


def _response(name: str, response: Any) -> Any:
    if not isinstance(response, dict) or len(response) != 1:
        raise MalformedResponses(f"{name}: a response has either Return or Throw.")
    if "Return" in response:
        return response["Return"]
    thrown = response.get("Throw")
    if not isinstance(thrown, dict) or not isinstance(thrown.get("Error"), str):
        raise MalformedResponses(f"{name}: Throw has no Error, which is the name of the error.")
    return TaskFailed(thrown["Error"], thrown.get("Cause"))
