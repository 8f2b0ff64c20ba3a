"""Carries a template out."""

from __future__ import annotations

from trunkline.aws.limits import TEMPLATE_LOOP_MAX, TEMPLATE_OUTPUT_CHARS_MAX
from trunkline.aws.vtl.budget import Budget, TemplateError
from trunkline.aws.vtl.expressions import Expressions
from trunkline.aws.vtl.nodes import Define, Foreach, If, Leave, Reference, Set, Text
from trunkline.aws.vtl.values import Object, is_true, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from trunkline.aws.vtl.nodes import Block, Node


class _Left(Exception):
    """`#break` or `#stop` was reached."""

    def __init__(self, *, all: bool) -> None:
        super().__init__()
        self.all = all


class _Defined(Object):
    """What `#define` made: rendered when its name is read."""

    methods: ClassVar[dict[str, Any]] = {}

    def __init__(self, block: Block) -> None:
        self.block = block


class _Loop(Object):
    """`$foreach`."""

    def __init__(self, size: int, parent: Any) -> None:
        self.index = 0
        self.size = size
        self.parent = parent

    def property(self, name: str, budget: Budget) -> Any:
        """`$foreach.index` and the like."""
        if name == "topmost":
            top = self
            while isinstance(top.parent, _Loop):
                top = top.parent
            return top
        found = _LOOP.get(name)
        return None if found is None else found(self)

    methods: ClassVar[dict[str, Any]] = {
        "hasNext": lambda budget, loop: loop.index + 1 < loop.size,
        "getIndex": lambda budget, loop: loop.index,
        "getCount": lambda budget, loop: loop.index + 1,
    }


_LOOP: dict[str, Any] = {
    "index": lambda loop: loop.index,
    "count": lambda loop: loop.index + 1,
    "hasNext": lambda loop: loop.index + 1 < loop.size,
    "first": lambda loop: loop.index == 0,
    "last": lambda loop: loop.index + 1 == loop.size,
    "parent": lambda loop: loop.parent,
}


class Run(Expressions):
    """One run of a template."""

    def __init__(self, variables: dict[str, Any]) -> None:
        super().__init__(variables, Budget())
        self._out: list[str] = []
        self._chars = 0

    def text(self, block: Block) -> str:
        """What the whole template renders."""
        try:
            self._block(block)
        except _Left:
            pass
        except RecursionError:
            raise TemplateError("values are nested too deeply") from None
        return "".join(self._out)

    def captured(self, block: Block) -> str:
        """What a block renders."""
        outer, self._out = self._out, []
        try:
            self._block(block)
            return self.budget.text("".join(self._out))
        finally:
            self._out = outer

    def variable(self, name: str) -> Any:
        """The value of a variable; of what `#define` made, the text."""
        value = self.variables.get(name)
        return self.captured(value.block) if isinstance(value, _Defined) else value

    def _emit(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > TEMPLATE_OUTPUT_CHARS_MAX:
            raise TemplateError(f"it renders more than {TEMPLATE_OUTPUT_CHARS_MAX} characters")
        self._out.append(text)

    def _block(self, block: Block) -> None:
        self.budget.enter()
        for node in block.nodes:
            self._node(node)
        self.budget.leave()

    def _node(self, node: Node) -> None:
        self.budget.step()
        if isinstance(node, Text):
            self._emit(node.text)
        elif isinstance(node, Reference):
            self._emit(text_of(self.resolve(node.name, node.steps), self.budget))
        elif isinstance(node, Set):
            self.assign(node.target, self.value(node.value))
        elif isinstance(node, If):
            self._if(node)
        elif isinstance(node, Foreach):
            self._foreach(node)
        elif isinstance(node, Define):
            self.variables[node.name] = _Defined(node.block)
        elif isinstance(node, Leave):
            raise _Left(all=node.all)

    def _if(self, node: If) -> None:
        for condition, block in node.branches:
            if is_true(self.value(condition)):
                self._block(block)
                return
        if node.otherwise is not None:
            self._block(node.otherwise)

    def _foreach(self, node: Foreach) -> None:
        items = _items(self.value(node.items))
        if len(items) > TEMPLATE_LOOP_MAX:
            raise TemplateError(f"#foreach runs more than {TEMPLATE_LOOP_MAX} times")
        names = (node.name, "foreach", "velocityCount")
        before = {name: self.variables.get(name) for name in names}
        loop = _Loop(len(items), before["foreach"])
        depth = self.budget.depth
        try:
            for loop.index, item in enumerate(items):
                self.variables[node.name] = item
                self.variables["foreach"] = loop
                self.variables["velocityCount"] = loop.index + 1
                self._block(node.block)
        except _Left as left:
            if left.all:
                raise
            self.budget.depth = depth
        for name, value in before.items():
            self.variables[name] = value


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    return []
