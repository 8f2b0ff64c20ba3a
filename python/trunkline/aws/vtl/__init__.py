"""Mapping templates: the part of the Velocity Template Language that API Gateway documents.

>>> rendered = render('{"id": $input.json("$.id"), "who": "$context.stage"}',
...     body='{"id": 7}', context={"stage": "prod"})
>>> rendered.text
'{"id": 7, "who": "prod"}'
"""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.aws.vtl.budget import TemplateError
from trunkline.aws.vtl.directives import Run
from trunkline.aws.vtl.parser import parse
from trunkline.aws.vtl.variables import Input, InvalidBody, Util

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["InvalidBody", "Rendered", "TemplateError", "check", "render"]

_OVERRIDES = {
    "requestOverride": ("header", "path", "querystring"),
    "responseOverride": ("header",),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template rendered, and what it set in `$context`."""

    text: str
    request_override: dict[str, Any]
    """`header`, `path` and `querystring`: maps of names to values."""
    response_override: dict[str, Any]
    """`header` is a map; `status` is there if the template set it."""


def render(
    template: str,
    *,
    body: str = "",
    params: Mapping[str, Mapping[str, str]] | None = None,
    context: Mapping[str, Any] | None = None,
    stage_variables: Mapping[str, str] | None = None,
) -> Rendered:
    """Renders a mapping template.

    For the template of an integration request, `body` is the payload of the client, and `params`
    holds its parameters in the maps `path`, `querystring` and `header`. For the template of an
    integration response, `body` is what the integration answered; `params` stays as it was.
    `context` is `$context`, in nested maps, with the values that AWS documents. To hand over what
    a request template set, put `Rendered.response_override` into `context["responseOverride"]`
    for the response template: it starts with these values. Neither `context` nor `params` is
    changed.

    The caller applies the overrides: `request_override` to the integration request after parameter
    mapping, `response_override` to the method response; their values are the template's values,
    so a status may be a number or a text.

    What names nothing renders as nothing, as in API Gateway. Raises InvalidBody where the template
    reads JSON from a body that is not JSON (API Gateway answers 400), and TemplateError for a
    template that cannot be parsed, calls a method in a wrong way, or exceeds a bound of
    `trunkline.aws.limits`: steps, depth, rounds of a loop, length (API Gateway answers 500).
    """
    seen: dict[str, Any] = dict(context or {})
    for name, places in _OVERRIDES.items():
        before = seen.get(name) or {}
        seen[name] = dict(before) | {place: dict(before.get(place) or {}) for place in places}
    variables: dict[str, Any] = {
        "input": Input(body, params or {}),
        "util": Util(),
        "context": seen,
        "stageVariables": dict(stage_variables or {}),
    }
    text = Run(variables).text(parse(template))
    return Rendered(text, *(_override(seen.get(name), _OVERRIDES[name]) for name in _OVERRIDES))


def _override(value: Any, places: tuple[str, ...]) -> dict[str, Any]:
    """An override with maps in its places, whatever the template made of them."""
    found = dict(value) if isinstance(value, dict) else {}
    for place in places:
        found[place] = found[place] if isinstance(found.get(place), dict) else {}
    return found


def check(template: str) -> None:
    """Raises TemplateError if the template cannot be parsed."""
    parse(template)
