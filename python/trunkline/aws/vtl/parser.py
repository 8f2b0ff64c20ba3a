"""Reads a template: text, references and directives."""

from __future__ import annotations

import re
from functools import lru_cache

from trunkline.aws.limits import TEMPLATE_CHARS_MAX
from trunkline.aws.vtl.budget import TemplateError
from trunkline.aws.vtl.nodes import Block, Define, Foreach, If, Leave, Set, Text
from trunkline.aws.vtl.references import References

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.vtl.nodes import Expression, Node

_SPECIAL = re.compile(r"[$#\\]")
_DIRECTIVE = re.compile(r"#(?:\{([A-Za-z]+)\}|([A-Za-z]+))")
_LINE_END = re.compile(r"[ \t]*(?:\r\n|\n|\r)")
_COMMENT = re.compile(r"##[^\r\n]*(?:\r\n|\n|\r)?")
_ENDS = frozenset({"elseif", "else", "end"})
_REFUSED = frozenset({"macro", "parse", "include", "evaluate"})
_CACHED = 200


@lru_cache(_CACHED)
def parse(source: str) -> Block:
    """The nodes of a template; raises TemplateError."""
    if len(source) > TEMPLATE_CHARS_MAX:
        raise TemplateError(f"the template is longer than {TEMPLATE_CHARS_MAX} characters")
    try:
        return _whole(source, 0)
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None


def _whole(source: str, depth: int) -> Block:
    parser = _Parser(source, depth)
    block, end = parser.block()
    if end is not None:
        parser.fail(f"#{end} ends nothing")
    return block


class _Parser(References):
    def interpolate(self, text: str) -> Block:
        self.enter()
        block = _whole(text, self.depth)
        self.leave()
        return block

    def block(self) -> tuple[Block, str | None]:
        """The nodes up to `#end`, `#else` or `#elseif`, whose name comes too; None at the end."""
        self.enter()
        nodes: list[Node] = []
        end = None
        while end is None and self.at < len(self.source):
            special = _SPECIAL.search(self.source, self.at)
            stop = special.start() if special is not None else len(self.source)
            if stop > self.at:
                nodes.append(Text(self.source[self.at : stop]))
                self.at = stop
            if special is not None:
                end = self._special(nodes)
        self.leave()
        return Block(tuple(nodes)), end

    def _special(self, nodes: list[Node]) -> str | None:
        letter = self.source[self.at]
        if letter == "\\":
            nodes.append(Text(self._escaped()))
            return None
        if letter == "$":
            reference = self.reference()
            if reference is None:
                self.at += 1
            nodes.append(Text("$") if reference is None else reference)
            return None
        if self.match(_COMMENT) is not None:
            return None
        if self.accept("#*"):
            self._until("*#")
            return None
        if self.accept("#[["):
            nodes.append(Text(self._until("]]#")))
            return None
        return self._directive(nodes)

    def _until(self, end: str) -> str:
        found = self.source.find(end, self.at)
        if found < 0:
            self.fail(f"{end!r} is missing")
        text = self.source[self.at : found]
        self.at = found + len(end)
        return text

    def _escaped(self) -> str:
        """Half of the backslashes. An odd one makes text of the reference or directive behind."""
        start = self.at
        while self.accept("\\"):
            pass
        count = self.at - start
        behind = self.at
        is_reference = self.source.startswith("$", behind) and self.reference() is not None
        self.at = behind
        found = _DIRECTIVE.match(self.source, behind)
        is_directive = found is not None and (found[1] or found[2]) in _ENDS | _KNOWN
        if not (is_reference or is_directive):
            return "\\" * count
        if count % 2:
            self.at += 1
            return "\\" * (count // 2) + self.source[behind]
        return "\\" * (count // 2)

    def _directive(self, nodes: list[Node]) -> str | None:
        found = _DIRECTIVE.match(self.source, self.at)
        name = "" if found is None else found[1] or found[2]
        if found is None or name not in _ENDS | _KNOWN | _REFUSED:
            nodes.append(Text("#"))
            self.at += 1
            return None
        if name in _REFUSED:
            self.fail(f"#{name} is not supported in mapping templates")
        self.at = found.end()
        if name in _ENDS:
            if name != "elseif":
                self.match(_LINE_END)
            return name
        if name in ("break", "stop"):
            nodes.append(Leave(all=name == "stop"))
        elif name == "set":
            nodes.append(self._set())
        elif name == "if":
            nodes.append(self._if())
        elif name == "foreach":
            nodes.append(self._foreach())
        else:
            nodes.append(self._define())
        return None

    def _close(self) -> None:
        self.expect(")")
        self.match(_LINE_END)

    def _set(self) -> Set:
        self.expect("(")
        self.space()
        target = self.reference()
        if target is None:
            self.fail("#set needs a reference on the left side")
        self.expect("=")
        value = self.expression()
        self._close()
        return Set(target, value)

    def _if(self) -> If:
        branches: list[tuple[Expression, Block]] = []
        otherwise = None
        end: str | None = "elseif"
        while end == "elseif":
            self.expect("(")
            condition = self.expression()
            self._close()
            block, end = self.block()
            branches.append((condition, block))
        if end == "else":
            otherwise, end = self.block()
        self._ended(end, "#if")
        return If(tuple(branches), otherwise)

    def _foreach(self) -> Foreach:
        self.expect("(")
        name = self._variable("#foreach")
        self.space()
        if not self._word("in"):
            self.fail("#foreach needs 'in' behind its variable")
        items = self.expression()
        self._close()
        block, end = self.block()
        self._ended(end, "#foreach")
        return Foreach(name, items, block)

    def _define(self) -> Define:
        self.expect("(")
        name = self._variable("#define")
        self._close()
        block, end = self.block()
        self._ended(end, "#define")
        return Define(name, block)

    def _variable(self, directive: str) -> str:
        self.space()
        reference = self.reference()
        if reference is None or reference.steps:
            self.fail(f"{directive} needs a variable, such as $item")
        return reference.name

    def _ended(self, end: str | None, directive: str) -> None:
        if end != "end":
            self.fail(f"{directive} has no #end")


_KNOWN = frozenset({"set", "if", "foreach", "define", "break", "stop"})
