"""What the installed botocore knows of a service: tests that use newer things say so by a mark."""

from __future__ import annotations

import re
from functools import cache

import pytest

NEWEST = re.compile(r"botocore (\S+)\.\n")
"""Names the botocore that docs/coverage.md was made with: whatever is as new knows every mark."""


def unknown_to_botocore(service: str, *places: str) -> str | None:
    """Why a test cannot run: what the models lack of `places`, or that there is no botocore.

    A place is an operation or a member of its input or output, as in ``PutObject.IfNoneMatch``, or
    one of the values that it may have, as in ``CreateFunction.Runtime=nodejs22.x``.
    Raises LookupError where the botocore is new enough to know every place: the mark is wrong.
    """
    botocore = pytest.importorskip("botocore")
    lacking = [place for place in places if not _is_known(service, place)]
    if not lacking:
        return None
    told = f"botocore {botocore.__version__} does not know {', '.join(lacking)} of {service}"
    if _numbers(botocore.__version__) >= _numbers(_newest()):
        raise LookupError(f"{told}: the mark names what is not there")
    return told


def _is_known(service: str, place: str) -> bool:
    path, _, value = place.partition("=")
    operation, *members = path.split(".")
    model = _model(service)
    if operation not in model.operation_names:
        return False
    found = model.operation_model(operation)
    shapes = [shape for shape in (found.input_shape, found.output_shape) if shape is not None]
    for name in members:
        shapes = [shape.members[name] for shape in shapes if name in _members(shape)]
    return any(not value or value in shape.enum for shape in shapes)


def _members(shape):
    return getattr(shape, "members", {})


@cache
def _model(service: str):
    from botocore.session import get_session

    return get_session().get_service_model(service)


@cache
def _newest() -> str:
    from tidy import tree

    found = NEWEST.search((tree.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
