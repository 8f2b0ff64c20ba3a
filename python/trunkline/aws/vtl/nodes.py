"""What the parser makes of a template; `expressions` and `directives` carry it out."""

from __future__ import annotations

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a boolean, or a text without references."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A text in double quotes with references in it."""

    block: Block


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`[first..last]`."""

    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{"key": value}`."""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`!operand`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Property:
    """`.name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """`.name(arguments)`."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`[key]`."""

    key: Expression


@dataclass(frozen=True, slots=True)
class Reference:
    """`$name`, then properties, methods and indexes."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is rendered as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Set:
    """`#set(target = value)`."""

    target: Reference
    value: Expression


@dataclass(frozen=True, slots=True)
class If:
    """`#if`, its `#elseif`s, and what `#else` holds."""

    branches: tuple[tuple[Expression, Block], ...]
    otherwise: Block | None


@dataclass(frozen=True, slots=True)
class Foreach:
    """`#foreach(name in items)`."""

    name: str
    items: Expression
    block: Block


@dataclass(frozen=True, slots=True)
class Define:
    """`#define($name)`: the block is rendered wherever the name is."""

    name: str
    block: Block


@dataclass(frozen=True, slots=True)
class Leave:
    """`#break` leaves the loop, `#stop` the template."""

    all: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Nodes in order."""

    nodes: tuple[Node, ...]


if TYPE_CHECKING:
    Expression: TypeAlias = (
        Literal | Interpolated | ListOf | RangeOf | MapOf | Not | Binary | Reference
    )
    Step: TypeAlias = Property | Method | Index
    Node: TypeAlias = Text | Reference | Set | If | Foreach | Define | Leave
