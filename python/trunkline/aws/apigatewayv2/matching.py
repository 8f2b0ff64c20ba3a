"""Which route a request takes: the most specific one.

A full match wins over a path with variables, that over a greedy variable, and `$default` takes the
rest. Of two routes with one path, the one that names the method wins over ANY.
"""

from __future__ import annotations

from urllib.parse import unquote

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Route = dict[str, Any]


@dataclass(slots=True)
class _Node:
    """The routes below a part of a path."""

    literal: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    greedy: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    """By method."""


@dataclass(frozen=True, slots=True)
class Match:
    """A route, and the variables of its path."""

    route: Route
    variables: dict[str, str]


class Routes:
    """The routes of a stage.

    >>> routes = Routes([{"RouteKey": key} for key in ("GET /a/{id}", "ANY /{all+}", "$default")])
    >>> routes.find("GET", "/a/7").variables
    {'id': '7'}
    >>> routes.find("POST", "/a/7").route["RouteKey"], routes.find("GET", "/").route["RouteKey"]
    ('ANY /{all+}', '$default')
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._default: Route | None = None
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        key = route["RouteKey"]
        if key == "$default":
            self._default = route
            return
        method, _, path = key.partition(" ")
        node = self._root
        for part in path[1:].split("/"):
            if part.endswith("+}"):
                node.greedy = node = node.greedy or _Node()
            elif part.startswith("{"):
                node.variable = node = node.variable or _Node()
            else:
                node = node.literal.setdefault(part, _Node())
        node.routes[method] = route

    def find(self, method: str, path: str) -> Match | None:
        """The route of a request; `path` is still escaped. None if no route takes it."""
        parts = [unquote(part) for part in path.removeprefix("/").split("/")]
        found = _search(self._root, parts, 0, method)
        if found is None:
            return None if self._default is None else Match(self._default, {})
        return Match(found, _variables(found["RouteKey"], parts))


def _search(node: _Node, parts: list[str], at: int, method: str) -> Route | None:
    """Literal parts first, then variables, then greedy ones. Each node is visited once at most."""
    if at == len(parts):
        return node.routes.get(method) or node.routes.get("ANY")
    part = parts[at]
    below = node.literal.get(part)
    found = None if below is None else _search(below, parts, at + 1, method)
    if found is None and node.variable is not None and part:
        found = _search(node.variable, parts, at + 1, method)
    if found is None and node.greedy is not None and (part or at + 1 < len(parts)):
        found = node.greedy.routes.get(method) or node.greedy.routes.get("ANY")
    return found


def _variables(key: str, parts: list[str]) -> dict[str, str]:
    found = {}
    for at, part in enumerate(key.partition(" ")[2][1:].split("/")):
        if part.endswith("+}"):
            found[part[1:-2]] = "/".join(parts[at:])
        elif part.startswith("{"):
            found[part[1:-1]] = parts[at]
    return found
