"""Which method of which resource a path means.

A static part wins over ``{part}``, and that over ``{part+}``. A resource without the method is no
match, so a greedy resource gets what its siblings do not take.
"""

from __future__ import annotations

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

ANY = "ANY"


@dataclass(frozen=True, slots=True)
class Match:
    """A method, and what the path says."""

    resource: dict[str, Any]
    method: dict[str, Any]
    parameters: dict[str, str]


@dataclass(slots=True)
class _Node:
    resource: dict[str, Any] | None = None
    static: dict[str, _Node] = field(default_factory=dict)
    variable: tuple[str, _Node] | None = None
    greedy: tuple[str, _Node] | None = None


class Routes:
    """The resources of a deployment as a tree."""

    def __init__(self, resources: Iterable[dict[str, Any]]) -> None:
        self._root = _Node()
        for resource in resources:
            self._add(resource)

    def _add(self, resource: dict[str, Any]) -> None:
        node = self._root
        for part in resource["path"].strip("/").split("/"):
            if not part:
                continue
            if part.endswith("+}"):
                if node.greedy is None:
                    node.greedy = part[1:-2], _Node()
                node = node.greedy[1]
            elif part.startswith("{"):
                if node.variable is None:
                    node.variable = part[1:-1], _Node()
                node = node.variable[1]
            else:
                node = node.static.setdefault(part, _Node())
        node.resource = resource

    def find(self, path: str, method: str) -> Match | None:
        """The method that answers a request to `path`, still escaped.

        >>> routes = Routes([{"path": "/a/{id}", "methods": {"GET": {}}}])
        >>> routes.find("/a/7", "GET").parameters
        {'id': '7'}
        """
        parts = path.strip("/").split("/") if path.strip("/") else []
        return _find(self._root, parts, 0, method, {})


def _find(
    node: _Node, parts: list[str], at: int, method: str, found: dict[str, str]
) -> Match | None:
    if at == len(parts):
        return _match(node, method, found)
    part = parts[at]
    child = node.static.get(part)
    if child is not None:
        match = _find(child, parts, at + 1, method, found)
        if match is not None:
            return match
    if node.variable is not None and part:
        name, child = node.variable
        match = _find(child, parts, at + 1, method, {**found, name: part})
        if match is not None:
            return match
    if node.greedy is not None:
        name, child = node.greedy
        return _match(child, method, {**found, name: "/".join(parts[at:])})
    return None


def _match(node: _Node, method: str, found: dict[str, str]) -> Match | None:
    if node.resource is None:
        return None
    methods = node.resource["methods"]
    chosen = methods.get(method, methods.get(ANY))
    return None if chosen is None else Match(node.resource, chosen, found)
