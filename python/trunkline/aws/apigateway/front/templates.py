r"""Mapping templates for the core: those that only put texts together.

>>> pieces("a $input.body", {})
[{'source': {'text': 'a '}}, {'source': 'input'}]
"""

from __future__ import annotations

import re

from trunkline._core import WireDocument
from trunkline.aws.execute_api.compiling import NotCompiled, text
from trunkline.aws.vtl import TemplateError
from trunkline.aws.vtl.nodes import Interpolated, Literal, Method, Property, Reference, Text
from trunkline.aws.vtl.parser import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.vtl.nodes import Expression, Step

    Piece = dict[str, Any]

_UTIL = {
    "urlEncode": "url_encode",
    "escapeJavaScript": "escape_java_script",
    "base64Encode": "base64_encode",
}
_OF_CONTEXT = {
    "requestId": "request_id",
    "httpMethod": "method",
    "requestTimeEpoch": "epoch_millis",
    "identity.sourceIp": "source_ip",
}
_QUOTE = ("\\\\'", "'")
"""The arguments of `replaceAll` that take away what JSON does not know."""
_TEXTS = re.compile(
    r"\$(?:\.\w+|\[\d+\])*"
    r"\.(?:MessageId|SequenceNumber|EventId|ShardId|executionArn|RequestId|MD5OfMessageBody)"
)
"""Paths in the answers of services that name texts."""


def pieces(
    template: str, variables: Mapping[str, str], *, context: Mapping[str, str] | None = None
) -> list[Piece]:
    """What a template puts together; raises NotCompiled for one that does more.

    `variables` are those of the stage; `context` is what every request has the same.
    """
    try:
        nodes = parse(template).nodes
    except TemplateError:
        raise NotCompiled from None
    compiler = _Compiler(template, variables, context or {})
    found = []
    for node in nodes:
        if isinstance(node, Text):
            found.append(text(node.text))
        elif isinstance(node, Reference):
            found.append(compiler.piece(node))
        else:
            raise NotCompiled
    return found


def of_answer(found: list[Piece]) -> list[Piece]:
    """The pieces of a template for an answer, which is rendered when it is too late for Python."""
    for piece in found:
        source = piece["source"]
        path = source.get("path") if isinstance(source, dict) else None
        if path is not None and not _TEXTS.fullmatch(path):
            raise NotCompiled
    return found


class _Compiler:
    def __init__(
        self, template: str, variables: Mapping[str, str], context: Mapping[str, str]
    ) -> None:
        self._template = template
        self._variables = variables
        self._context = context

    def piece(self, reference: Expression) -> Piece:
        """What a reference stands for."""
        if not isinstance(reference, Reference):
            raise NotCompiled
        name, steps = reference.name, reference.steps
        if name == "util":
            return self._applied(steps)
        if name == "input" and steps:
            return _quoted(self._of_input(steps[0]), steps[1:])
        path = ".".join(step.name for step in steps if isinstance(step, Property))
        if not steps or not all(isinstance(step, Property) for step in steps):
            raise NotCompiled
        if name == "stageVariables" and len(steps) == 1:
            return text(self._variables.get(path, ""))
        if name == "context" and path in _OF_CONTEXT:
            return {"source": _OF_CONTEXT[path]}
        if name == "context" and path in self._context:
            return text(self._context[path])
        raise NotCompiled

    def _applied(self, steps: tuple[Step, ...]) -> Piece:
        first = steps[0] if steps else None
        if not isinstance(first, Method) or first.name not in _UTIL or len(first.arguments) != 1:
            raise NotCompiled
        given = first.arguments[0]
        fixed = _fixed(given)
        inner = self.piece(given) if fixed is None else text(fixed)
        made = {**inner, "apply": [*inner.get("apply", []), _UTIL[first.name]]}
        return _quoted(made, steps[1:])

    def _of_input(self, step: Step) -> Piece:
        if isinstance(step, Property):
            if step.name != "body":
                raise NotCompiled
            return {"source": "input"}
        if not isinstance(step, Method):
            raise NotCompiled
        arguments = [_fixed(one) for one in step.arguments]
        name = arguments[0] if len(arguments) == 1 else None
        if name is None:
            raise NotCompiled
        if step.name == "params":
            self._check_case(name)
            return {"source": {"parameter": name}}
        if step.name not in ("json", "path"):
            raise NotCompiled
        try:
            WireDocument("{}").select(name)
        except ValueError:
            raise NotCompiled from None
        return {"source": {step.name: name}}

    def _check_case(self, name: str) -> None:
        """A header is named as the template names it first."""
        named = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
        if set(named.findall(self._template)) != {name}:
            raise NotCompiled


def _fixed(expression: Expression) -> str | None:
    """The text that an expression is, if it is always the same."""
    if isinstance(expression, Literal):
        return expression.value if isinstance(expression.value, str) else None
    if isinstance(expression, Interpolated):
        nodes = expression.block.nodes
        texts = [node.text for node in nodes if isinstance(node, Text)]
        return "".join(texts) if len(texts) == len(nodes) else None
    return None


def _quoted(piece: Piece, steps: tuple[Step, ...]) -> Piece:
    if not steps:
        return piece
    step = steps[0]
    if len(steps) > 1 or not isinstance(step, Method) or step.name != "replaceAll":
        raise NotCompiled
    if tuple(map(_fixed, step.arguments)) != _QUOTE:
        raise NotCompiled
    return {**piece, "apply": [*piece.get("apply", []), "plain_quotes"]}
