"""A definition as SVG: the visual workflow."""

from __future__ import annotations

from html import escape

from trunkline._dataclasses import dataclass, field
from trunkline.machines.drawing.layers import Edge, Node, arrange
from trunkline.machines.drawing.statuses import Path, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

START, END = "\0start", "\0end"

_LETTER, _LINE, _PAD, _TITLE = 7.2, 17.0, 14.0, 24.0
_MARGIN = 24.0

COLOURS = {
    "succeeded": ("#e6f4e6", "#2e8540"),
    "failed": ("#fde7e7", "#c62828"),
    "caught": ("#fff1dc", "#c77700"),
    "running": ("#e3f0fc", "#1565c0"),
    "aborted": ("#eeeeee", "#6b6b6b"),
    "timed out": ("#f6e7fb", "#8e24aa"),
}
"""Fill and line of the states of an execution, by their status."""

_PLAIN = ("#ffffff", "#5f6b7a")


@dataclass(slots=True)
class Scope:
    """States that may reach each other, with their places."""

    nodes: dict[str, Node]
    edges: list[Edge]
    width: float
    height: float
    kinds: dict[str, str]
    inner: dict[str, list[Scope]] = field(default_factory=dict)


def draw(definition: dict[str, Any], history: Iterable[dict[str, Any]] | None = None) -> str:
    """The SVG of a definition; with the history of an execution, coloured by what it did.

    >>> draw({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}).startswith("<svg")
    True
    """
    path = Path() if history is None else path_of(history)
    scope = _scope(definition)
    legend = [] if history is None else sorted(set(path.statuses.values()))
    width = max(scope.width, 110.0 * len(legend)) + 2 * _MARGIN
    height = scope.height + 2 * _MARGIN + (34 if legend else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" font-family="Helvetica, Arial, sans-serif" '
        'font-size="13">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
        'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5f6b7a"/></marker></defs>',
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#ffffff"/>',
    ]
    parts += _drawn(scope, path, (width - scope.width) / 2, _MARGIN)
    parts += _legend(legend, height - 30)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _scope(definition: dict[str, Any]) -> Scope:
    states: dict[str, dict[str, Any]] = definition["States"]
    nodes, kinds, inner = {START: Node(64, 26), END: Node(64, 26)}, {}, {}
    for name, state in states.items():
        kinds[name] = str(state.get("Type", ""))
        scopes = [_scope(one) for one in _inner(state)]
        inner[name] = scopes
        text = max(len(name), len(kinds[name])) * _LETTER
        width = max(text + 2 * _PAD, 96.0)
        height = 2 * _LINE + 10
        if scopes:
            within = sum(scope.width + _PAD for scope in scopes) + _PAD
            width = max(width, within)
            height = max(scope.height for scope in scopes) + _TITLE + 2 * _PAD
        nodes[name] = Node(width, height)
    edges = [Edge(START, str(definition["StartAt"]))]
    for name, state in states.items():
        edges += _edges(name, state)
    width, height = arrange(nodes, edges, START)
    # An edge of a state to itself stands out on the right.
    return Scope(nodes, edges, width + 18, height, kinds, inner)


def _inner(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from state.get("Branches", ())
    processor = state.get("ItemProcessor") or state.get("Iterator")
    if processor is not None:
        yield processor


def _edges(name: str, state: dict[str, Any]) -> Iterator[Edge]:
    if "Next" in state:
        yield Edge(name, state["Next"])
    for number, rule in enumerate(state.get("Choices", ()), 1):
        yield Edge(name, rule["Next"], f"rule {number}")
    if "Default" in state:
        yield Edge(name, state["Default"], "default")
    for rule in state.get("Catch", ()):
        errors = ", ".join(rule["ErrorEquals"])
        yield Edge(name, rule["Next"], "any error" if errors == "States.ALL" else errors, True)
    if state.get("End") or state.get("Type") in ("Succeed", "Fail"):
        yield Edge(name, END)


def _drawn(scope: Scope, path: Path, x: float, y: float) -> Iterator[str]:
    for edge in scope.edges:
        yield from _edge(edge, path, x, y)
    for name, node in scope.nodes.items():
        left, top = x + node.x, y + node.y
        if name in (START, END):
            yield _round(node, left, top, "Start" if name == START else "End")
            continue
        yield from _box(scope, name, path, left, top)


def _round(node: Node, x: float, y: float, text: str) -> str:
    middle, base = x + node.width / 2, y + node.height / 2 + 4.5
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{node.width}" height="{node.height}" rx="13" '
        f'fill="#f3f5f7" stroke="#5f6b7a"/><text x="{middle:.1f}" y="{base:.1f}" '
        f'text-anchor="middle">{text}</text>'
    )


def _box(scope: Scope, name: str, path: Path, x: float, y: float) -> Iterator[str]:
    node, status = scope.nodes[name], path.statuses.get(name)
    fill, line = _PLAIN if status is None else COLOURS[status]
    kind, told = scope.kinds[name], "" if status is None else f": {status}"
    yield (
        f'<g data-state="{escape(name)}" data-status="{status or "none"}">'
        f"<title>{escape(name)} ({escape(kind)}){told}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" '
        f'rx="6" fill="{fill}" stroke="{line}" stroke-width="{1 if status is None else 2}"/>'
    )
    middle = x + node.width / 2
    label = f'<tspan font-weight="bold">{escape(name)}</tspan>'
    small = f'font-size="11" fill="#5f6b7a">{escape(kind)}'
    if not scope.inner[name]:
        yield (
            f'<text x="{middle:.1f}" y="{y + 20:.1f}" text-anchor="middle">{label}</text>'
            f'<text x="{middle:.1f}" y="{y + 36:.1f}" text-anchor="middle" {small}</text></g>'
        )
        return
    yield (f'<text x="{x + _PAD:.1f}" y="{y + 18:.1f}">{label} <tspan {small}</tspan></text></g>')
    within = sum(one.width + _PAD for one in scope.inner[name]) - _PAD
    left = x + (node.width - within) / 2
    for one in scope.inner[name]:
        yield from _drawn(one, path, left, y + _TITLE + _PAD)
        left += one.width + _PAD


def _edge(edge: Edge, path: Path, x: float, y: float) -> Iterator[str]:
    points = [(x + right, y + down) for right, down in edge.points]
    is_taken = (edge.source, edge.target) in path.taken or _leads_out(edge, path)
    dash = ' stroke-dasharray="5 4"' if edge.is_error else ""
    width, colour = (2.5, "#2b3440") if is_taken else (1.2, "#8a94a0")
    yield (
        f'<path d="{_curve(points)}" fill="none" stroke="{colour}" stroke-width="{width}"{dash} '
        'marker-end="url(#arrow)"/>'
    )
    if edge.label:
        (left, top), (right, low) = points[0], points[1]
        yield (
            f'<text x="{(left + right) / 2 + 4:.1f}" y="{(top + low) / 2 + 4:.1f}" '
            f'font-size="11" fill="#5f6b7a">{escape(edge.label)}</text>'
        )


def _leads_out(edge: Edge, path: Path) -> bool:
    """Whether the edge is from the start, or to the end, of what the execution went through."""
    if edge.source == START:
        return edge.target in path.statuses
    is_left = path.statuses.get(edge.source) == "succeeded"
    return edge.target == END and is_left


def _curve(points: list[tuple[float, float]]) -> str:
    (x, y), text = points[0], ""
    for right, down in points[1:]:
        bend = (down - y) / 2
        text += f"C{x:.1f} {y + bend:.1f} {right:.1f} {down - bend:.1f} {right:.1f} {down:.1f}"
        x, y = right, down
    return f"M{points[0][0]:.1f} {points[0][1]:.1f}{text}"


def _legend(statuses: list[str], y: float) -> Iterator[str]:
    for number, status in enumerate(statuses):
        fill, line = COLOURS[status]
        x = _MARGIN + number * 110
        yield (
            f'<rect x="{x}" y="{y:.1f}" width="14" height="14" rx="3" fill="{fill}" '
            f'stroke="{line}" stroke-width="2"/><text x="{x + 20}" y="{y + 12:.1f}">{status}</text>'
        )
