"""Verbs of buckets."""

from __future__ import annotations

from itertools import islice

from trunkline.admin.forms import LIMIT, check_limit
from trunkline.admin.registry import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine


@reading
def objects(
    engine: Engine,
    bucket: str,
    prefix: str = "",
    delimiter: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The objects of a bucket, up to `limit`; with a delimiter also the prefixes it makes."""
    check_limit(limit)
    of = engine.bucket(bucket, create=False, account=account, region=region)
    entries = of.list(prefix) if delimiter is None else of.list(prefix, delimiter=delimiter)
    found = list(islice(entries, limit + 1))
    rows = [
        {"prefix": one}
        if isinstance(one, str)
        else {
            "key": one.key,
            "bytes": one.size,
            "etag": one.etag,
            "modified_at": one.modified_at,
        }
        for one in found[:limit]
    ]
    return {"items": rows, "more": len(found) > limit}
