"""Definitions in the Amazon States Language: what is wrong with one, and what it refers to."""

from __future__ import annotations

import json

from trunkline.aws.stepfunctions.errors import invalid_definition


def check(definition: str, kind: str) -> None:
    """Raises for a definition that a state machine of this kind may not have."""
    try:
        json.loads(definition)
    except ValueError as error:
        raise invalid_definition(f"INVALID_JSON_DESCRIPTION: {error}") from None


def variable_references(definition: str) -> dict[str, list[str]]:
    """The variables that each state refers to, by the state's name."""
    return {}
