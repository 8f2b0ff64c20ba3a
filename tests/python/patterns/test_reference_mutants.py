"""Mutation checks of the comparison: each breaks the reference in one place and must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import pairs, reference


def first_of_two_keys_wins(value: Any) -> dict[str, Any]:
    return dict(reversed(value)) if isinstance(value, reference.Object) else dict(value)


def numbers_as_written_only(self: reference.Number) -> None:
    return None


def arrays_do_not_matter(self: reference.Leaf, other: reference.Leaf) -> bool:
    return True


MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "of two keys the first wins": (reference, "dict", first_of_two_keys_wins),
    "numbers are texts": (reference.Number, "value", property(numbers_as_written_only)),
    "arrays do not matter": (reference.Leaf, "agrees_with", arrays_do_not_matter),
    "nothing is ever missing": (reference, "_is_absence", lambda want: False),
    "a range is closed": (
        reference,
        "_is_in_range",
        lambda terms, value: value is not None and terms[1].value <= value,
    ),
    "cases are folded": (
        reference,
        "_folds_to",
        lambda want, text: want.casefold() == text.casefold(),
    ),
    "a star is a letter": (reference, "_is_wild", lambda want, text: len(want) == len(text)),
    "a network is an address": (reference, "_is_in_network", lambda network, text: text in network),
    "a list of exclusions excludes its first": (
        reference,
        "_is_excluded",
        lambda operand, value: isinstance(operand, list) and reference._equals(operand[0], value),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_reference_that_is_wrong_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, broken = MUTANTS[name]
    monkeypatch.setattr(owner, attribute, broken, raising=False)
    with pytest.raises(pairs.Differs):
        pairs.check(seed=3, count=20_000)
