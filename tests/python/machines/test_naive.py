"""Machines that hypothesis makes: their histories are those of the naive interpreter."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.python.machines.naive import Naive
from trunkline import states

SEND = "arn:aws:states:::sqs:sendMessage"
VALUES = st.one_of(
    st.integers(-3, 3), st.text("ab", max_size=3), st.lists(st.integers(0, 2), max_size=3)
)
ERRORS = st.sampled_from(["Busy", "Broken"])
ANSWERS = st.one_of(VALUES, ERRORS.map(states.TaskFailed))


@st.composite
def tasks(draw, name):
    state = {"Type": "Task", "Resource": SEND, "Parameters": {}, "Comment": name}
    if draw(st.booleans()):
        rule = {"ErrorEquals": draw(st.sampled_from([["Busy"], ["States.ALL"]]))}
        state["Retry"] = [rule | {"MaxAttempts": draw(st.integers(0, 2))}]
    return state


@st.composite
def scopes(draw, numbers, depth):
    """A scope whose states lead from one to the next; some go back over a Choice or a Catch."""
    names = [f"S{next(numbers)}" for _ in range(draw(st.integers(1, 4)))]
    made = {}
    for place, name in enumerate(names):
        kinds = ["Pass", "Wait", "Task", "Choice"]
        if depth:
            kinds += ["Parallel", "Map"]
        if place == len(names) - 1:
            kinds += ["Succeed", "Fail"]
        kind = draw(st.sampled_from(kinds))
        following = names[place + 1 :]
        if kind == "Choice" and not following:
            kind = "Pass"
        if kind == "Fail" and numbers.inner:
            kind = "Succeed"
        state = {"Type": kind}
        if kind == "Pass" and draw(st.booleans()):
            state["Result"] = draw(VALUES)
        elif kind == "Wait":
            state["Seconds"] = draw(st.integers(0, 9))
        elif kind == "Task":
            state = draw(tasks(name))
            if following and draw(st.booleans()):
                caught = draw(st.sampled_from([["Broken"], ["States.ALL"]]))
                state["Catch"] = [{"ErrorEquals": caught, "Next": draw(st.sampled_from(following))}]
        elif kind == "Parallel":
            branches = draw(st.integers(1, 3))
            state["Branches"] = [draw(inner(numbers, depth - 1)) for _ in range(branches)]
        elif kind == "Map":
            # The items are there whatever came before.
            before = f"S{next(numbers)}"
            made[before] = {
                "Type": "Pass",
                "Result": draw(st.lists(VALUES, max_size=3)),
                "Next": name,
            }
            numbers.renamed[name] = before
            state["ItemProcessor"] = draw(inner(numbers, depth - 1))
            state["MaxConcurrency"] = 1
        elif kind == "Choice":
            rules = [
                {"Variable": "$", "NumericEquals": number, "Next": draw(st.sampled_from(following))}
                for number in draw(
                    st.lists(st.integers(-1, 1), min_size=1, max_size=2, unique=True)
                )
            ]
            state |= {"Choices": rules, "Default": draw(st.sampled_from(following))}
        if kind == "Fail":
            state |= {"Error": "Ended", "Cause": "here"}
        elif kind not in ("Choice", "Succeed"):
            state |= {"Next": following[0]} if following else {"End": True}
        made[name] = state
    return reachable(numbers.led({"StartAt": names[0], "States": made}))


def reachable(scope):
    """The scope without the states that nothing leads to, which AWS refuses."""
    found, left = {}, [scope["StartAt"]]
    while left:
        name = left.pop()
        if name not in found:
            state = found[name] = scope["States"][name]
            rules = (*state.get("Catch", ()), *state.get("Choices", ()), state)
            left += [rule["Next"] for rule in rules if "Next" in rule]
            left += [state["Default"]] if "Default" in state else []
    return {**scope, "States": found}


class Numbers:
    """Numbers for the names of states, which are unique in the whole machine."""

    def __init__(self):
        self._count, self.inner, self.renamed = itertools.count(), 0, {}

    def __next__(self):
        return next(self._count)

    def led(self, scope):
        """The scope, with what leads to a Map leading to the state in front of it."""
        renamed = self.renamed
        first = set(renamed.values())

        def target(name):
            return renamed.get(name, name)

        scope["StartAt"] = target(scope["StartAt"])
        for name, state in scope["States"].items():
            if "Next" in state and name not in first:
                state["Next"] = target(state["Next"])
            for rule in (*state.get("Catch", ()), *state.get("Choices", ())):
                rule["Next"] = target(rule["Next"])
            if "Default" in state:
                state["Default"] = target(state["Default"])
        return scope


@st.composite
def inner(draw, numbers, depth):
    numbers.inner += 1
    scope = draw(scopes(numbers, depth))
    numbers.inner -= 1
    for state in scope["States"].values():
        # A failure would stop the other branches in the middle, which the model cannot tell.
        state.pop("Retry", None)
        state.pop("Catch", None)
    return reachable(scope)


def names_of(scope, is_inner=False):
    """The tasks, each with whether a failure of it ends other branches."""
    for name, state in scope["States"].items():
        if state["Type"] == "Task":
            yield name, is_inner
        for one in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from names_of(one, True)


@st.composite
def cases(draw):
    machine = draw(scopes(Numbers(), 2))
    answers = {}
    for name, is_inner in names_of(machine):
        kind = VALUES if is_inner else ANSWERS
        answers[name] = draw(st.lists(kind, min_size=3, max_size=3)) + [0] * 40
    return machine, answers, draw(VALUES)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_a_history_is_that_of_the_naive_interpreter(case):
    machine, answers, given = case
    left = {name: iter(found) for name, found in answers.items()}

    def mock(name):
        return lambda _: next(left[name])

    result = states.test(machine, given, mocks={name: mock(name) for name in answers})
    status, told = Naive(result.history, answers).run(machine, given)
    assert status == result.status
    assert told == (result.output if status == "SUCCEEDED" else result.error)
