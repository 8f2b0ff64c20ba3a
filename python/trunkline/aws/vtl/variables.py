"""`$input` and `$util`."""

from __future__ import annotations

import base64
import binascii
import json
import re
from urllib.parse import quote, unquote_plus

from trunkline.aws.vtl.budget import CHARS_A_STEP, TemplateError
from trunkline.aws.vtl.values import Object, parse_json, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from trunkline._core import WireDocument
    from trunkline.aws.vtl.budget import Budget

PARAMETER_PLACES = ("path", "querystring", "header")
"""Where `$input.params` looks for a parameter, in this order."""
_PRINTABLE = re.compile(r"""[^ -~]|["'\\]""")
_ESCAPES = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}


class InvalidBody(TemplateError):
    """The template reads JSON from a body that has none."""


class Input(Object):
    """`$input`: the payload and the parameters of a request."""

    def __init__(self, body: str, params: Mapping[str, Mapping[str, str]]) -> None:
        self._body = body
        self._document: WireDocument | None = None
        self._params = {place: dict(params.get(place) or {}) for place in PARAMETER_PLACES}

    def property(self, name: str, budget: Budget) -> Any:
        """`$input.body`; an empty body is `{}`."""
        if name != "body":
            return None
        return budget.text(self._body) or "{}"

    def selected(self, budget: Budget, path: Any) -> str | None:
        """The JSON text of what a path names in the body; None when it names nothing."""
        from trunkline import _core

        budget.step(1 + len(self._body) // CHARS_A_STEP)
        if self._document is None:
            try:
                self._document = _core.WireDocument(self._body)
            except ValueError as error:
                raise InvalidBody(f"Could not parse request body into json: {error}") from None
        try:
            return self._document.select(text_of(path, budget))
        except ValueError as error:
            raise TemplateError(str(error)) from None

    def is_empty(self) -> bool:
        """Whether there is no body."""
        return not self._body or self._body.isspace()

    def parameters(self) -> dict[str, dict[str, str]]:
        """All parameters, by their places."""
        return self._params


def _json(budget: Budget, source: Input, path: Any = "$") -> str:
    if source.is_empty():
        return "{}" if path == "$" else '""'
    selected = source.selected(budget, path)
    return '""' if selected is None else selected


def _path(budget: Budget, source: Input, path: Any = "$") -> Any:
    if source.is_empty():
        return {} if path == "$" else None
    selected = source.selected(budget, path)
    if selected is None:
        return None
    return parse_json(budget.text(selected))


def _parameters(budget: Budget, source: Input, name: Any = None) -> Any:
    if name is None:
        return source.parameters()
    for place in PARAMETER_PLACES:
        value = source.parameters()[place].get(text_of(name, budget))
        if value is not None:
            return value
    return ""


Input.methods = {"json": _json, "path": _path, "params": _parameters}


def escape_java_script(text: str) -> str:
    r"""A text as it stands in a string of JavaScript.

    >>> print(escape_java_script('say "it\'s"'))
    say \"it\'s\"
    """

    def escaped(found: re.Match[str]) -> str:
        letter = found.group()
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        return "\\" + letter if letter in "\"'\\" else json.dumps(letter)[1:-1]

    return _PRINTABLE.sub(escaped, text)


def _escaped(budget: Budget, util: Util, value: Any) -> str | None:
    return None if value is None else escape_java_script(text_of(value, budget))


def _parsed(budget: Budget, util: Util, text: Any) -> Any:
    return parse_json(budget.text(text_of(text, budget)))


def _url_encoded(budget: Budget, util: Util, text: Any) -> str:
    encoded = quote(text_of(text, budget), safe="*-._ ").replace(" ", "+")
    return encoded.replace("~", "%7E")


def _url_decoded(budget: Budget, util: Util, text: Any) -> str:
    return unquote_plus(text_of(text, budget))


def _encoded(budget: Budget, util: Util, value: Any) -> str:
    return base64.b64encode(text_of(value, budget).encode()).decode()


def _decoded(budget: Budget, util: Util, text: Any) -> str:
    try:
        return base64.b64decode(text_of(text, budget)).decode(errors="replace")
    except binascii.Error as error:
        raise TemplateError(f"base64Decode(): {error}") from None


class Util(Object):
    """`$util`."""

    methods: ClassVar[dict[str, Any]] = {
        "escapeJavaScript": _escaped,
        "parseJson": _parsed,
        "urlEncode": _url_encoded,
        "urlDecode": _url_decoded,
        "base64Encode": _encoded,
        "base64Decode": _decoded,
    }
