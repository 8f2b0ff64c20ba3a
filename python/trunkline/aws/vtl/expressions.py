"""The values of expressions."""

from __future__ import annotations

from trunkline.aws.vtl.budget import TemplateError
from trunkline.aws.vtl.methods import call, get_index, get_property, map_key
from trunkline.aws.vtl.nodes import (
    Binary,
    Index,
    ListOf,
    Literal,
    MapOf,
    Method,
    Not,
    Property,
    RangeOf,
    Reference,
)
from trunkline.aws.vtl.values import are_equal, is_number, is_true, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.aws.vtl.budget import Budget
    from trunkline.aws.vtl.nodes import Block, Expression, Step

_INTEGER_BITS_MAX = 512


class Expressions:
    """Variables, and the values of expressions over them."""

    def __init__(self, variables: dict[str, Any], budget: Budget) -> None:
        self.variables = variables
        self.budget = budget

    def captured(self, block: Block) -> str:
        """What a block renders."""
        raise NotImplementedError

    def variable(self, name: str) -> Any:
        """The value of a variable."""
        return self.variables.get(name)

    def value(self, node: Expression) -> Any:
        """The value of an expression."""
        self.budget.step()
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Reference):
            return self.resolve(node.name, node.steps)
        if isinstance(node, Binary):
            return self._binary(node)
        if isinstance(node, Not):
            return not is_true(self.value(node.operand))
        if isinstance(node, ListOf):
            return [self.value(item) for item in node.items]
        if isinstance(node, MapOf):
            return {
                map_key(self.value(key), self.budget): self.value(value)
                for key, value in node.entries
            }
        if isinstance(node, RangeOf):
            return self._range(self.value(node.first), self.value(node.last))
        return self.captured(node.block)

    def resolve(self, name: str, steps: tuple[Step, ...]) -> Any:
        """What a reference names; None as soon as a part of it names nothing."""
        value = self.variable(name)
        for step in steps:
            if value is None:
                return None
            value = self._stepped(value, step)
        return value

    def _stepped(self, value: Any, step: Step) -> Any:
        if isinstance(step, Property):
            return get_property(value, step.name, self.budget)
        if isinstance(step, Index):
            return get_index(value, self.value(step.key), self.budget)
        arguments = [self.value(argument) for argument in step.arguments]
        return call(value, step.name, arguments, self.budget)

    def assign(self, target: Reference, value: Any) -> None:
        """`#set`. Velocity assigns no null: the variable keeps what it had."""
        if value is None:
            return
        if not target.steps:
            self.variables[target.name] = value
            return
        owner = self.resolve(target.name, target.steps[:-1])
        last = target.steps[-1]
        if isinstance(last, Method):
            raise TemplateError("#set cannot assign to the result of a method")
        key = last.name if isinstance(last, Property) else self.value(last.key)
        if isinstance(owner, dict):
            owner[map_key(key, self.budget)] = value
        elif isinstance(owner, list) and isinstance(last, Index):
            call(owner, "set", [key, value], self.budget)

    def _range(self, first: Any, last: Any) -> list[int] | None:
        if not isinstance(first, int) or not isinstance(last, int):
            return None
        step = 1 if first <= last else -1
        numbers = range(first, last + step, step)
        if abs(last - first) >= (1 << 32):
            raise TemplateError("a range is too long")
        self.budget.step(len(numbers))
        return list(numbers)

    def _binary(self, node: Binary) -> Any:
        operator = node.operator
        if operator in ("&&", "||"):
            left = is_true(self.value(node.left))
            if left is (operator == "||"):
                return left
            return is_true(self.value(node.right))
        left, right = self.value(node.left), self.value(node.right)
        if operator == "!=" and left is None and right is not None:
            # AWS's answers show that what is not there differs from no value.
            return False
        if operator in ("==", "!="):
            return are_equal(left, right, self.budget) is (operator == "==")
        if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
            return self.budget.text(text_of(left, self.budget) + text_of(right, self.budget))
        if not is_number(left) or not is_number(right):
            return False if operator in _COMPARED else None
        if operator in _COMPARED:
            return _COMPARED[operator](left, right)
        return _calculated(operator, left, right)


def _calculated(operator: str, left: float, right: float) -> float | None:
    if operator in "/%" and right == 0:
        return None
    try:
        result = _OPERATORS[operator](left, right)
    except OverflowError:
        return None
    if isinstance(result, int) and result.bit_length() > _INTEGER_BITS_MAX:
        raise TemplateError("a number is too large")
    return result


def _divided(left: float, right: float) -> float:
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) is (right < 0) else -quotient
    return left / right


def _remainder(left: float, right: float) -> float:
    size = abs(left) % abs(right)
    return -size if left < 0 else size


_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divided,
    "%": _remainder,
}
