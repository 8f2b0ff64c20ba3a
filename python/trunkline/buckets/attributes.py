"""What a put says of its object, in the form that S3 keeps: headers and tags.

What is accepted here is what a header of HTTP carries unchanged, so that an object that was put in
the process reads the same over the wire.
"""

from __future__ import annotations

import re

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Pairs = list[tuple[str, str]]

METADATA_BYTES_MAX = 2_048
"""The most bytes of names and values of metadata together: S3's bound."""

TAGS_MAX = 10
TAG_KEY_CHARS_MAX = 128
TAG_VALUE_CHARS_MAX = 256

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)


def _refused(field: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"Value for parameter {field} is invalid. Reason: {reason}")


def _pairs(values: Mapping[str, str], field: str) -> Pairs:
    """The names and values of a mapping of texts."""
    try:
        pairs = list(values.items())
    except AttributeError:
        kind = type(values).__name__
        raise TypeError(f"{field} must be a mapping of str to str, not {kind}") from None
    for pair in pairs:
        for text in pair:
            if not isinstance(text, str):
                raise TypeError(
                    f"{field} must map str to str; {text!r:.40} is of type {type(text).__name__}"
                )
    return pairs


def _check_value(value: str, field: str) -> None:
    if value and _VALUE.fullmatch(value) is None:
        raise _refused(
            field,
            f"{value!r:.40} is no value of a header. Use printable ASCII without spaces at its "
            "ends; encode anything else, for example with base64.",
        )


def headers(metadata: Mapping[str, str] | None, content_type: str | None) -> Pairs:
    """The headers of an object.

    >>> headers({"By": "ann"}, "text/plain")
    [('content-type', 'text/plain'), ('x-amz-meta-by', 'ann')]
    """
    found: Pairs = []
    if content_type is not None:
        if not isinstance(content_type, str):
            raise TypeError(f"content_type must be a str, not {type(content_type).__name__}")
        if not content_type:
            raise _refused("content_type", "It is empty. Leave it out, or name a type.")
        _check_value(content_type, "content_type")
        found.append(("content-type", content_type))
    size, names = 0, set()
    for name, value in _pairs(metadata or {}, "metadata"):
        if _NAME.fullmatch(name) is None:
            raise _refused(
                "metadata",
                f"{name!r:.40} is no name of a header. Use letters, digits and hyphens.",
            )
        if name.lower() in names:
            raise _refused(
                "metadata", f"{name!r} is there twice; names are the same in upper and lower case."
            )
        names.add(name.lower())
        _check_value(value, "metadata")
        size += len(name) + len(value)
        found.append((f"x-amz-meta-{name.lower()}", value))
    if size > METADATA_BYTES_MAX:
        raise _refused(
            "metadata",
            f"Its names and values have {size} bytes; {METADATA_BYTES_MAX} are allowed. Put an "
            "object with the rest.",
        )
    return found


def tags(values: Mapping[str, str] | None) -> Pairs:
    """The tags of an object.

    >>> tags({"state": "paid"})
    [('state', 'paid')]
    """
    found = _pairs(values or {}, "tags")
    if len(found) > TAGS_MAX:
        raise _refused("tags", f"There are {len(found)}; an object has {TAGS_MAX} at most.")
    for key, value in found:
        if not 0 < len(key) <= TAG_KEY_CHARS_MAX or len(value) > TAG_VALUE_CHARS_MAX:
            raise _refused(
                "tags",
                f"A key has 1 to {TAG_KEY_CHARS_MAX} characters and a value {TAG_VALUE_CHARS_MAX} "
                f"at most; {key!r:.40} does not fit. Shorten it.",
            )
    return found
