"""The models of services, as far as tasks need them: shapes of inputs, outputs and errors.

They are read from the files that the server itself uses, so a wheel needs no botocore.
"""

from __future__ import annotations

import json
from functools import cache, cached_property

from trunkline._dataclasses import dataclass
from trunkline.aws.models import read_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Shape:
    """A type of a model."""

    name: str
    _shapes: dict[str, Any]

    @property
    def _own(self) -> dict[str, Any]:
        found: dict[str, Any] = self._shapes[self.name]
        return found

    def _other(self, field: str) -> Shape:
        return Shape(self._own[field]["shape"], self._shapes)

    @property
    def type_name(self) -> str:
        """``structure``, ``list``, ``map``, ``string``, ``timestamp`` and so on."""
        return str(self._own["type"])

    @cached_property
    def members(self) -> dict[str, Shape]:
        """The members of a structure."""
        members = self._own.get("members", {})
        return {name: Shape(told["shape"], self._shapes) for name, told in members.items()}

    @property
    def required(self) -> list[str]:
        """The members that a structure always has."""
        return list(self._own.get("required", ()))

    @property
    def member(self) -> Shape:
        """The shape of the items of a list."""
        return self._other("member")

    @property
    def value(self) -> Shape:
        """The shape of the values of a map."""
        return self._other("value")

    @property
    def minimum(self) -> float | None:
        """The least number, or the least length."""
        return self._own.get("min")

    @property
    def error_code(self) -> str:
        """The code of an error, as the protocol carries it."""
        return str(self._own.get("error", {}).get("code", self.name))


@dataclass(frozen=True)
class Operation:
    """An operation of a service."""

    name: str
    service: Service
    input_shape: Shape | None
    output_shape: Shape | None


@dataclass(frozen=True)
class Service:
    """The model of a service."""

    _model: dict[str, Any]

    @property
    def protocol(self) -> str:
        """The protocol of its wire, such as ``json``."""
        return str(self._model["metadata"]["protocol"])

    def operation(self, name: str | None) -> Operation | None:
        """The operation of this name, if the service has it."""
        told = self._model["operations"].get(name)
        if name is None or told is None:
            return None
        given, answer = (self._shape(told.get(side)) for side in ("input", "output"))
        return Operation(name, self, given, answer)

    def _shape(self, told: dict[str, Any] | None) -> Shape | None:
        return None if told is None else Shape(told["shape"], self._model["shapes"])

    @cached_property
    def error_names(self) -> frozenset[str]:
        """The names and the codes of its errors."""
        shapes = self._model["shapes"]
        named = {
            error["shape"]
            for operation in self._model["operations"].values()
            for error in operation.get("errors", ())
        }
        named |= {name for name, told in shapes.items() if told.get("exception")}
        return frozenset(named | {Shape(name, shapes).error_code for name in named})


@cache
def service_model(service: str) -> Service:
    """The model of a service; raises ServiceError if neither the wheel nor botocore has it."""
    return Service(json.loads(read_model(service)))
