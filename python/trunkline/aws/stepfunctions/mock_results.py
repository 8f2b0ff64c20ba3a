"""Whether a mocked result looks like what the service of a task answers."""

from __future__ import annotations

import json

from trunkline.aws.errors import ServiceError
from trunkline.aws.stepfunctions.errors import invalid
from trunkline.aws.stepfunctions.integrations import ServiceCall
from trunkline.aws.stepfunctions.service_models import service_model
from trunkline.aws.stepfunctions.shapes import pascal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.stepfunctions.service_models import Shape

_KINDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "structure": ("an object", dict),
    "map": ("an object", dict),
    "list": ("an array", list),
    "boolean": ("a boolean", bool),
    "integer": ("a number", (int, float)),
    "long": ("a number", (int, float)),
    "float": ("a number", (int, float)),
    "double": ("a number", (int, float)),
}
"""What a value of a type has to be in JSON; a value of any other type is a string."""


def check(resource: str, result: str, mode: str) -> None:
    """Raises for a result that the operation of a task cannot have.

    STRICT asks for the required members too, PRESENT looks at those that are there, and NONE takes
    everything. Results of jobs (``.sync``) and of tokens are not the answers of the operations, so
    they are not looked at; neither are those of services whose model is not here.
    """
    made = ServiceCall.parse(resource)
    if mode == "NONE" or ":states:::" not in resource or made.suffix:
        return
    try:
        operation = service_model(made.model).operation(made.operation)
    except ServiceError:
        return
    if operation is None or operation.output_shape is None:
        return
    # An optimised integration shows a payload as the JSON that it is.
    any_blob = made.service == "lambda"
    _check(operation.output_shape, json.loads(result), None, mode == "STRICT", any_blob)


def _check(shape: Shape, value: Any, name: str | None, is_strict: bool, any_blob: bool) -> None:
    kind = shape.type_name
    if any_blob and kind == "blob":
        return
    words, types = _KINDS.get(kind, ("a string", str))
    # A bool is an int to Python.
    is_of_kind: bool = isinstance(value, types) and isinstance(value, bool) <= (kind == "boolean")
    if not is_of_kind:
        what = "Mocked result" if name is None else f"Field '{name}'"
        raise _refused(f"{what} must be {words}")
    if kind == "structure":
        members = {pascal(member): told for member, told in shape.members.items()}
        for member in shape.required if is_strict else ():
            if pascal(member) not in value:
                raise _refused(f"Required field '{pascal(member)}' is missing")
        for member, told in members.items():
            if value.get(member) is not None:
                _check(told, value[member], member, is_strict, any_blob)
    elif kind == "list":
        for item in value:
            _check(shape.member, item, name, is_strict, any_blob)
    elif kind == "map":
        for item in value.values():
            _check(shape.value, item, name, is_strict, any_blob)
    elif words == "a number" and shape.minimum is not None and value < shape.minimum:
        raise _refused(f"Field '{name}' is less than the minimum value")


def _refused(reason: str) -> ServiceError:
    return invalid(f"Mock result schema validation error: {reason}")
