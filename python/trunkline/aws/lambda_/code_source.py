"""Where the code of a request comes from: its archive, or an object of a bucket that is served."""

from __future__ import annotations

from trunkline._core import Buckets
from trunkline.aws.lambda_.errors import invalid, unsupported
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call

ARCHIVE_BYTES_MAX = 52_428_800
"""The largest archive of one request: Lambda's bound."""

UNPACKED_BYTES_MAX = 262_144_000
"""The largest code once it is unpacked, so also the largest archive: Lambda's bound."""

_MESSAGES = {
    "NoSuchKey": "The specified key does not exist.",
    "NoSuchVersion": "The specified version does not exist.",
}
"""What S3 says, where an engine says more."""


def archive_of(call: Call, given: Mapping[str, Any]) -> bytes:
    """The archive that a request gives or names; raises for one that is too large."""
    data, bucket = given.get("ZipFile"), given.get("S3Bucket")
    if (data is None) == (bucket is None):
        if data is None and "ImageUri" in given:
            raise unsupported("A container image as the code of a function")
        raise invalid("Please provide one source of code: ZipFile, or S3Bucket and S3Key.")
    if bucket is not None:
        return _read(call, bucket, given.get("S3Key"), given.get("S3ObjectVersion"))
    archive: bytes = given["ZipFile"]
    if len(archive) > ARCHIVE_BYTES_MAX:
        raise invalid(f"Zipped size must be smaller than {ARCHIVE_BYTES_MAX} bytes")
    return archive


def _read(call: Call, name: str, key: str | None, version: str | None) -> bytes:
    if not key:
        raise invalid("S3Key is mandatory where S3Bucket is given.")
    bucket = Buckets(call.store.core).find(name)
    if bucket is None:
        raise _refused("NoSuchBucket", "The specified bucket does not exist")
    if bucket.account != call.account:
        raise _refused("AccessDenied", "Access Denied")
    try:
        stored, content = bucket.get(key, version, None, None)
    except TrunklineError as error:
        raise _refused(error.code, _MESSAGES.get(error.code, str(error))) from None
    if stored.size > UNPACKED_BYTES_MAX:
        raise invalid(f"Unzipped size must be smaller than {UNPACKED_BYTES_MAX} bytes")
    return content.read(None)


def _refused(code: str, message: str) -> Exception:
    return invalid(
        f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
    )
