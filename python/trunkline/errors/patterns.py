"""Failures of patterns, filter policies and events."""

from __future__ import annotations

from trunkline.errors.kinds import InvalidArgument


class InvalidEventPatternException(InvalidArgument):
    """An event pattern is not valid; the text and the place are those that AWS gives.

    >>> import trunkline
    >>> from trunkline import patterns
    >>> try:
    ...     patterns.compile('{"detail": {"state": "running"}}')
    ... except trunkline.InvalidEventPatternException as error:
    ...     error.reason, error.line, error.column
    ('"state" must be an object or an array', 1, 23)
    """

    code = "InvalidEventPatternException"
    reason: str = ""
    """What is wrong, without AWS's words around it."""
    line: int | None = None
    """The line that AWS names, from one; None where AWS names none."""
    column: int | None = None
    """The column that AWS names, from one."""


class InvalidParameterException(InvalidArgument):
    """A filter policy is not valid; the text and the place are those that Amazon SNS gives.

    >>> import trunkline
    >>> from trunkline import patterns
    >>> try:
    ...     patterns.filter_policy({"store": []})
    ... except trunkline.InvalidParameterException as error:
    ...     error.code, error.reason
    ('InvalidParameter', 'Empty arrays are not allowed')
    """

    code = "InvalidParameter"
    reason: str = ""
    """What is wrong, without AWS's words around it."""
    line: int | None = None
    """The line that AWS names, from one; None where AWS names none."""
    column: int | None = None
    """The column that AWS names, from one."""


class InvalidEvent(InvalidArgument):
    """An event cannot be read, so that it neither matches nor does not."""

    code = "InvalidEvent"
    offset: int = 0
    """The byte at which it was noticed."""
