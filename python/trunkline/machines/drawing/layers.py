"""A layered layout: nodes in layers from top to bottom, edges around what lies between them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP_X, GAP_Y = 28.0, 44.0
SWEEPS = 6
"""How often the layers are sorted by their neighbours."""


@dataclass(slots=True)
class Node:
    """A box; the layout gives it the place of its upper left corner."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    is_way: bool = False
    """No box, but what an edge goes through on its way past a layer."""

    @property
    def middle(self) -> float:
        """Half way from left to right."""
        return self.x + self.width / 2


@dataclass(slots=True)
class Edge:
    """A line between two nodes; the layout gives it its points."""

    source: str
    target: str
    label: str = ""
    is_error: bool = False
    points: list[tuple[float, float]] = field(default_factory=list)


def arrange(nodes: dict[str, Node], edges: Sequence[Edge], start: str) -> tuple[float, float]:
    """Gives nodes and edges their places; the size of the whole.

    >>> nodes = {"a": Node(10, 10), "b": Node(10, 10)}
    >>> arrange(nodes, [Edge("a", "b")], "a")
    (10.0, 64.0)
    >>> (nodes["b"].x, nodes["b"].y)
    (0.0, 54.0)
    """
    back = _back_edges(nodes, edges, start)
    forward = [_turned(edge) if id(edge) in back else (edge.source, edge.target) for edge in edges]
    layer = _layers(nodes, forward)
    boxes, chains = dict(nodes), []
    for number, (upper, lower) in enumerate(forward):
        chain = [upper]
        for between in range(layer[upper] + 1, layer[lower]):
            name = f"\0{number}.{between}"
            boxes[name], layer[name] = Node(8.0, 0.0, is_way=True), between
            chain.append(name)
        chains.append([*chain, lower])
    rows = _rows(layer)
    _sort(rows, chains)
    size = _place(rows, boxes)
    for edge, chain in zip(edges, chains, strict=True):
        edge.points = _points(boxes, chain)
        if id(edge) in back:
            edge.points.reverse()
    return size


def _turned(edge: Edge) -> tuple[str, str]:
    return edge.target, edge.source


def _back_edges(nodes: Iterable[str], edges: Sequence[Edge], start: str) -> set[int]:
    """The edges that close a circle, seen from the start."""
    leaving: dict[str, list[Edge]] = {name: [] for name in nodes}
    for edge in edges:
        leaving[edge.source].append(edge)
    back: set[int] = set()
    done: set[str] = set()
    for root in (start, *leaving):
        if root in done:
            continue
        path = [(root, iter(leaving[root]))]
        active = {root}
        while path:
            name, left = path[-1]
            further = next(left, None)
            if further is None:
                path.pop()
                active.discard(name)
                done.add(name)
            elif further.target in active:
                back.add(id(further))
            elif further.target not in done:
                active.add(further.target)
                path.append((further.target, iter(leaving[further.target])))
    return back


def _layers(nodes: Iterable[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The number of the layer of each node: one more than the lowest above it."""
    above: dict[str, list[str]] = {name: [] for name in nodes}
    below: dict[str, list[str]] = {name: [] for name in above}
    for upper, lower in edges:
        if upper != lower:
            above[lower].append(upper)
            below[upper].append(lower)
    left = {name: len(found) for name, found in above.items()}
    ready = [name for name, count in left.items() if count == 0]
    layer = dict.fromkeys(above, 0)
    while ready:
        name = ready.pop()
        for lower in below[name]:
            layer[lower] = max(layer[lower], layer[name] + 1)
            left[lower] -= 1
            if left[lower] == 0:
                ready.append(lower)
    return layer


def _rows(layer: dict[str, int]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name, number in layer.items():
        rows[number].append(name)
    return rows


def _sort(rows: list[list[str]], chains: Sequence[Sequence[str]]) -> None:
    """Sorts each layer by where its neighbours are, so that few edges cross."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        order = rows[1:] if down else rows[-2::-1]
        for row in order:
            places = {name: place for other in rows for place, name in enumerate(other)}
            near = above if down else below
            row.sort(key=partial(_mean, near=near, places=places))


def _mean(name: str, near: dict[str, list[str]], places: dict[str, int]) -> float:
    found = [places[other] for other in near.get(name, ())]
    return sum(found) / len(found) if found else places[name]


def _place(rows: list[list[str]], boxes: dict[str, Node]) -> tuple[float, float]:
    widths = [sum(boxes[name].width + GAP_X for name in row) - GAP_X for row in rows]
    whole, y = max(widths, default=0.0), 0.0
    for row, width in zip(rows, widths, strict=True):
        x, height = (whole - width) / 2, max(boxes[name].height for name in row)
        for name in row:
            box = boxes[name]
            if box.is_way:
                box.height = height
            box.x, box.y = x, y + (height - box.height) / 2
            x += box.width + GAP_X
        y += height + GAP_Y
    return whole, y - GAP_Y if rows else 0.0


def _points(boxes: dict[str, Node], chain: Sequence[str]) -> list[tuple[float, float]]:
    first, last = boxes[chain[0]], boxes[chain[-1]]
    if len(chain) == 2 and chain[0] == chain[1]:
        right, middle = first.x + first.width, first.y + first.height / 2
        out = right + 16
        return [(right, middle - 8), (out, middle - 8), (out, middle + 8), (right, middle + 8)]
    ways = [boxes[name] for name in chain[1:-1]]
    inner = [(way.middle, y) for way in ways for y in (way.y, way.y + way.height)]
    return [(first.middle, first.y + first.height), *inner, (last.middle, last.y)]
