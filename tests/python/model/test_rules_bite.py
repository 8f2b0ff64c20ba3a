"""The comparison itself is tested: the reference is broken in one place, and it must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import pairs, rules


def first_of_two_keys_wins(value: Any) -> dict[str, Any]:
    return dict(reversed(value)) if isinstance(value, rules.Object) else dict(value)


def numbers_as_written_only(self: rules.Number) -> None:
    return None


def arrays_do_not_matter(self: rules.Leaf, other: rules.Leaf) -> bool:
    return True


MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "of two keys the first wins": (rules, "dict", first_of_two_keys_wins),
    "numbers are texts": (rules.Number, "value", property(numbers_as_written_only)),
    "arrays do not matter": (rules.Leaf, "agrees_with", arrays_do_not_matter),
    "nothing is ever missing": (rules, "_is_absence", lambda want: False),
    "a range is closed": (
        rules,
        "_is_in_range",
        lambda terms, value: value is not None and terms[1].value <= value,
    ),
    "cases are folded": (
        rules,
        "_folds_to",
        lambda want, text: want.casefold() == text.casefold(),
    ),
    "a star is a letter": (rules, "_is_wild", lambda want, text: len(want) == len(text)),
    "a network is an address": (rules, "_is_in_network", lambda network, text: text in network),
    "a list of exclusions excludes its first": (
        rules,
        "_is_excluded",
        lambda operand, value: isinstance(operand, list) and rules._equals(operand[0], value),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_reference_that_is_wrong_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, broken = MUTANTS[name]
    monkeypatch.setattr(owner, attribute, broken, raising=False)
    with pytest.raises(pairs.Differs):
        pairs.check(seed=3, count=20_000)
