"""Message attributes: what Python values become, and what names, types and values are allowed."""

from __future__ import annotations

from trunkline._core import encode_attributes
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from typing_extensions import TypeIs

    from trunkline._types import Attributes, AttributeValue
    from trunkline.limits import Limits

DIGITS_MAX = 38
"""The most significant digits of a Number (AWS)."""

MAGNITUDE_MIN, MAGNITUDE_MAX = -128, 126
"""The powers of ten between which a Number must lie (AWS)."""

_BASES = ("String", "Number", "Binary")


def encode(attributes: Attributes, limits: Limits) -> bytes | None:
    """The attributes as one block of bytes; None if there are none.

    >>> from trunkline.limits import Limits
    >>> encode({"kind": "order", "tries": 3, "raw": b"\\\\x00"}, Limits()) is not None
    True
    """
    try:
        pairs = attributes.items()
    except AttributeError:
        kind = type(attributes).__name__
        raise TypeError(f"attributes must map names to values, not be a {kind}") from None
    if len(attributes) > limits.attributes_max:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum "
            f"[{limits.attributes_max}]."
        )
    triples = [(check_name(name, limits), *typed(name, value, limits)) for name, value in pairs]
    return encode_attributes(triples) if triples else None


def check_name(name: str, limits: Limits) -> str:
    """An attribute's name.

    >>> from trunkline.limits import Limits
    >>> check_name("trace.id", Limits())
    'trace.id'
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of an attribute must be a str, not {type(name).__name__}")
    if len(name) > limits.attribute_name_chars_max:
        raise InvalidParameterValue(
            f"Message (user) attribute names must be shorter than "
            f"{limits.attribute_name_chars_max} Bytes"
        )
    letters = name.replace("_", "").replace("-", "").replace(".", "")
    plain = all(letter.isalnum() and letter < "\u0250" for letter in letters)
    dotted = name.startswith(".") or name.endswith(".") or ".." in name
    reserved = name.lower().startswith(("aws.", "amazon."))
    if not name or not plain or dotted or reserved:
        raise InvalidParameterValue(
            f"Message (user) attribute name {name!r} is invalid. Reason: It can contain A-Z, a-z, "
            "0-9, underscore, hyphen and period, must not start or end with a period or hold two "
            "in a row, and must not start with AWS. or Amazon."
        )
    return name


def typed(name: str, value: AttributeValue, limits: Limits) -> tuple[str, bytes]:
    """The type of an attribute, and its value as bytes.

    >>> from trunkline.limits import Limits
    >>> typed("tries", 3, Limits()), typed("price", ("Number.cents", "250"), Limits())
    (('Number', b'3'), ('Number.cents', b'250'))
    """
    kind = None
    if isinstance(value, tuple):
        kind, value = _pair(name, value, limits)
    base = _base_of(name, value) if kind is None else kind.split(".", 1)[0]
    data = _bytes_of(name, value, base)
    if not data:
        raise InvalidParameterValue(
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{base}'."
        )
    if base == "Number":
        _check_number(name, data)
    return kind or base, data


def _pair(name: str, pair: object, limits: Limits) -> tuple[str, str | float | Decimal | bytes]:
    if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        raise TypeError(f"attribute {name!r} must be a value or a pair (type, value)")
    kind, value = pair
    base, _, custom = kind.partition(".")
    if base not in _BASES or len(kind) > limits.attribute_name_chars_max or kind.endswith("."):
        raise InvalidParameterValue(
            f"The message attribute '{name}' has an invalid message attribute type, the set of "
            "supported type prefixes is Binary, Number, and String."
        )
    if not custom.isprintable():
        raise InvalidParameterValue(
            f"The message attribute '{name}' has a type with characters that are not printable."
        )
    return kind, value


def _base_of(name: str, value: object) -> str:
    if isinstance(value, str):
        return "String"
    if isinstance(value, bytes):
        return "Binary"
    if _is_number(value):
        return "Number"
    raise TypeError(
        f"attribute {name!r} must be str, int, float, Decimal, bytes or a pair (type, value), "
        f"not {type(value).__name__}"
    )


def _bytes_of(name: str, value: object, base: str) -> bytes:
    if base == "Binary":
        if isinstance(value, bytes):
            return value
        raise TypeError(f"a Binary attribute ({name!r}) must be bytes, not {type(value).__name__}")
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise InvalidParameterValue(
                f"Message (user) attribute '{name}' holds a lone surrogate; use bytes instead."
            ) from None
    if base == "Number" and _is_number(value):
        return _number_text(value).encode()
    raise TypeError(f"a {base} attribute ({name!r}) cannot be a {type(value).__name__}")


def _is_number(value: object) -> TypeIs[float | Decimal]:
    if isinstance(value, int | float):
        return not isinstance(value, bool)
    from decimal import Decimal

    return isinstance(value, Decimal)


def _number_text(value: float | Decimal) -> str:
    if isinstance(value, int):
        if abs(value) >= 10 ** (MAGNITUDE_MAX + 1):
            # Refused below in any case; the text of a million digits need not be made for it.
            return f"1e{MAGNITUDE_MAX + 1}"
        return int.__repr__(value)
    return repr(value) if isinstance(value, float) else str(value)


def _check_number(name: str, data: bytes) -> None:
    import re
    from decimal import Decimal, InvalidOperation

    # Decimal alone would take underscores, blanks around it, the digits of every script, and nan.
    if not re.fullmatch(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", data):
        raise InvalidParameterValue(
            f"Can't cast the value of message (user) attribute '{name}' to a number."
        )
    try:
        number = Decimal(data.decode())
    except InvalidOperation:
        # An exponent that no Decimal can hold is out of range in any case.
        number = Decimal("inf")
    if number == 0:
        return
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    # Infinity has no power of ten; adjusted() says 0.
    in_range = number.is_finite() and MAGNITUDE_MIN <= number.adjusted() <= MAGNITUDE_MAX
    if len(digits) > DIGITS_MAX or not in_range:
        raise InvalidParameterValue(
            f"Number attribute value {data.decode()[:64]} of '{name}' should be in range "
            f"(-10**{MAGNITUDE_MIN}..10**{MAGNITUDE_MAX}) with at most {DIGITS_MAX} digits."
        )
