"""Definitions in the Amazon States Language: what is wrong with one, and what it refers to."""

from __future__ import annotations

from trunkline._core import StatesProgram
from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATES_PAGE_DEFAULT
from trunkline.aws.stepfunctions.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def check(definition: str, kind: str) -> None:
    """Raises for a definition that a state machine of this kind may not have."""
    try:
        StatesProgram(definition, kind == "EXPRESS")
    except ValueError as error:
        raise ServiceError("InvalidDefinition", str(error)) from None


def variable_references(definition: str) -> dict[str, list[str]]:
    """The variables that each state refers to, by the state's name."""
    try:
        program = StatesProgram(definition, False)
    except ValueError:
        # An earlier version took it.
        return {}
    return dict(program.variable_references())


@operations.add("ValidateStateMachineDefinition")
def validate_state_machine_definition(
    call: Call,
    *,
    definition: str,
    type: str = "STANDARD",
    severity: str = "ERROR",
    max_results: int | None = None,
) -> dict[str, Any]:
    """What is wrong with a definition. Warnings are told where `severity` asks for them."""
    found = StatesProgram.check(definition, type == "EXPRESS")
    shown = [one for one in found if severity == "WARNING" or one[0] == "ERROR"]
    most = max_results or STATES_PAGE_DEFAULT
    diagnostics = []
    for level, code, message, location in shown[:most]:
        told = {"severity": level, "code": code, "message": message}
        diagnostics.append(told if location is None else told | {"location": location})
    result = "FAIL" if any(one[0] == "ERROR" for one in found) else "OK"
    return {"result": result, "diagnostics": diagnostics, "truncated": len(shown) > most}
