"""Event patterns of EventBridge and filter policies of SNS: find the rules that match an event.

Nothing here needs an engine.

>>> from trunkline import patterns
>>> running = patterns.compile({"detail": {"state": ["running", {"prefix": "start"}]}})
>>> running.matches('{"detail": {"state": "starting"}}')
True
>>> rules = patterns.RuleSet()
>>> rules.add("on", running)
>>> rules.add("large", {"detail": {"size": [{"numeric": [">=", 1000]}]}})
>>> rules.match({"detail": {"state": "running", "size": 5000}})
['on', 'large']

An event is a JSON object: ``bytes`` or ``str`` with its text, or a ``dict``, which is serialized
first. Bytes are the fastest. An event that cannot be parsed raises InvalidEvent. An invalid pattern
raises AWS's error with AWS's message.
"""

from __future__ import annotations

import json

from trunkline import _core
from trunkline._core import Explanation, Pattern, RuleSet
from trunkline.errors import InvalidParameterException
from trunkline.limits import LimitTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, ClassVar, Literal, TypeAlias

    Event: TypeAlias = bytes | str | bytearray | memoryview | dict[str, Any]
    Source: TypeAlias = Pattern | bytes | str | bytearray | memoryview | dict[str, Any]
    FilterScope: TypeAlias = Literal["MessageAttributes", "MessageBody"]

__all__ = [
    "Explanation",
    "Limits",
    "Pattern",
    "RuleSet",
    "compile",
    "filter_policy",
    "matches",
]


class Limits(LimitTable):
    """The limits of patterns. The defaults are AWS's; you may raise each of them.

    >>> from trunkline import patterns
    >>> patterns.Limits(pattern_bytes=4096)
    Limits(pattern_bytes=4096)
    >>> patterns.Limits().filter_combinations
    150
    """

    __slots__ = ()

    _defaults: ClassVar[dict[str, int]] = _core.default_pattern_limits()
    _check = staticmethod(_core.check_pattern_limits)


def compile(pattern: Source, *, limits: Limits | None = None) -> Pattern:
    """Compile an event pattern from a dict or from its JSON text.

    Raises InvalidEventPatternException with AWS's message, `line` and `column`. Only a text keeps
    the spelling of numbers and duplicate keys: `300.0` and `3e2` are both 300.0 in a dict.

    >>> from trunkline import patterns
    >>> patterns.compile('{"source": ["aws.ec2", "aws.s3"]}').matches(b'{"source": "aws.s3"}')
    True
    >>> patterns.compile({"source": [{"prefix": 7}]})
    Traceback (most recent call last):
    trunkline.errors.InvalidEventPatternException: Event pattern is not valid. Reason: …
    """
    return _core.compile_pattern(pattern, "Event", limits)


def matches(pattern: Source, event: Event) -> bool:
    """Whether `event` matches `pattern`. For many events, compile the pattern once instead.

    >>> from trunkline import patterns
    >>> patterns.matches({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": 5})
    True
    """
    return compile(pattern).matches(event)


def filter_policy(
    policy: Source, scope: FilterScope = "MessageAttributes", *, limits: Limits | None = None
) -> Pattern:
    """Compile a filter policy of Amazon SNS, for the attributes or for the body of a message.

    With the scope MessageAttributes, an event is a mapping of attributes by name. A str is a
    String, a number a Number, bytes a Binary, and a list a String.Array. A pair ``(type, value)``
    or ``{"DataType": …, "StringValue": …}`` sets the type explicitly. With the scope MessageBody,
    an event is the body.

    An event that SNS cannot parse, such as a body that is not a JSON object, matches nothing; this
    is not an error. Raises InvalidParameterException with SNS's message.

    >>> from trunkline import patterns
    >>> policy = patterns.filter_policy({"store": ["shop"], "price": [{"numeric": [">=", 100]}]})
    >>> policy.matches({"store": "shop", "price": 250})
    True
    >>> patterns.filter_policy({"order": {"total": [7]}}, scope="MessageBody").matches("no JSON")
    False
    """
    if scope not in ("MessageAttributes", "MessageBody"):
        raise InvalidParameterException(
            f"Invalid parameter: FilterPolicyScope: Invalid value [{scope}]. "
            "Please use either MessageBody or MessageAttributes"
        )
    return _core.compile_pattern(policy, scope, limits)


def _written(value: object) -> str:
    """Serialize a pattern or an event; called by the core."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _attributes(attributes: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The names, types and values of message attributes; called by the core."""
    try:
        pairs: Iterable[tuple[str, Any]] = attributes.items()
    except AttributeError:
        kind = type(attributes).__name__
        raise TypeError(
            f"with the scope MessageAttributes an event must map names to values, not be a {kind}"
        ) from None
    return [(name, *_typed(name, value)) for name, value in pairs]


def _typed(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, tuple) and len(value) == 2:
        kind, inner = value
        return kind, inner if isinstance(inner, str) else _typed(name, inner)[1]
    if isinstance(value, str):
        return "String", value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "Number", _written(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "Binary", ""
    if isinstance(value, list):
        return "String.Array", _written(value)
    if isinstance(value, dict) and isinstance(value.get("DataType"), str):
        return value["DataType"], value.get("StringValue", "")
    if isinstance(value, dict) and isinstance(value.get("Type"), str):
        return value["Type"], value.get("Value", "")
    raise TypeError(
        f"the attribute {name} must be a str, a number, bytes, a list or a pair of type and value, "
        f"not {type(value).__name__}"
    )
