"""Tasks that call S3 through ``aws-sdk:s3``: objects are read and written in this process, without
a request of HTTP. Of bucket policies nothing is asked, so only buckets of the account are served.
"""

from __future__ import annotations

import base64
import json
import zlib

from trunkline._core import Buckets
from trunkline.aws.invoker import InvocationFailed
from trunkline.aws.limits import S3_PAGE_KEYS_MAX, STATES_PAYLOAD_BYTES_MAX
from trunkline.aws.stepfunctions.shapes import iso
from trunkline.buckets import attributes
from trunkline.errors import NoSuchKey, NotFound, TrunklineError
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import Bucket, StoredObject
    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task

    Params = dict[str, Any]


def invoke(runtime: Runtime, task: Task, action: str, service: Any) -> Report:
    """Carries out an operation of S3."""
    from trunkline.aws.stepfunctions.failures import sdk_failure

    carry_out = _OPERATIONS.get(action)
    if carry_out is None:
        known = ", ".join(sorted(_OPERATIONS))
        text = f"The operation s3:{action} is not served to tasks. Served: {known}."
        return failed("States.Runtime", text)
    params = json.loads(task.input)
    try:
        bucket = _bucket(runtime, task, params)
        output = carry_out(runtime, task, bucket, params)
    except InvocationFailed as error:
        return sdk_failure("aws-sdk:s3", service, error)
    except TrunklineError as error:
        refused = InvocationFailed("InvalidRequest", "InvalidRequest", str(error), 400)
        return sdk_failure("aws-sdk:s3", service, refused)
    return Report("succeeded", json.dumps(output, separators=(",", ":"), ensure_ascii=False))


def _refused(code: str, message: str, status: int) -> InvocationFailed:
    return InvocationFailed(code, code, message, status)


def _bucket(runtime: Runtime, task: Task, params: Params, name: str | None = None) -> Bucket:
    found = Buckets(runtime.core).find(str(params.get("Bucket", "")) if name is None else name)
    if found is None:
        raise _refused("NoSuchBucket", "The specified bucket does not exist", 404)
    if found.account != task.account:
        raise _refused("AccessDenied", "Access Denied", 403)
    return found


def _key(params: Params) -> str:
    key = params.get("Key")
    if not isinstance(key, str) or not key:
        raise _refused("InvalidRequest", "The Key is required.", 400)
    return key


def _head(bucket: Bucket, params: Params) -> StoredObject:
    try:
        return bucket.head(_key(params), params.get("VersionId"))
    except (NoSuchKey, NotFound):
        raise _refused("NoSuchKey", "The specified key does not exist.", 404) from None


def _told(bucket: Bucket, stored: StoredObject) -> dict[str, Any]:
    told = {
        "AcceptRanges": "bytes",
        "ContentLength": stored.size,
        "ContentType": stored.content_type,
        "ETag": f'"{stored.etag}"',
        "LastModified": iso(int(stored.modified_at)),
        "Metadata": dict(stored.metadata),
        "ServerSideEncryption": "AES256",
    }
    return told | ({"VersionId": stored.version_id} if bucket.versioned else {})


def _get(runtime: Runtime, task: Task, bucket: Bucket, params: Params) -> dict[str, Any]:
    stored = _head(bucket, params)
    if stored.size > STATES_PAYLOAD_BYTES_MAX:
        text = f"The object has {stored.size} bytes, more than the result of a task may have."
        raise _refused("EntityTooLarge", text, 400)
    try:
        stored, content = bucket.get(_key(params), params.get("VersionId"), None, None)
    except (NoSuchKey, NotFound):
        raise _refused("NoSuchKey", "The specified key does not exist.", 404) from None
    body = content.read(None).decode("utf-8", "replace")
    return {**_told(bucket, stored), "Body": body}


def _describe(runtime: Runtime, task: Task, bucket: Bucket, params: Params) -> dict[str, Any]:
    return _told(bucket, _head(bucket, params))


def _put(runtime: Runtime, task: Task, bucket: Bucket, params: Params) -> dict[str, Any]:
    given = params.get("Body", "")
    text = given if isinstance(given, str) else json.dumps(given, separators=(",", ":"))
    data = text.encode()
    # The SDK that makes the calls of tasks on AWS sends this type and this checksum with a text.
    kind = params.get("ContentType", "text/plain; charset=UTF-8")
    checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    headers = attributes.headers(params.get("Metadata"), kind)
    headers += [("x-amz-checksum-crc32", checksum), ("x-amz-checksum-type", "FULL_OBJECT")]
    writer = bucket.writer()
    try:
        writer.write(data)
        stored = bucket.put(_key(params), writer, headers, [], False, None)
    finally:
        writer.discard()
    told = {
        "ChecksumCRC32": checksum,
        "ChecksumType": "FULL_OBJECT",
        "ETag": f'"{stored.etag}"',
        "ServerSideEncryption": "AES256",
    }
    return told | ({"VersionId": stored.version_id} if bucket.versioned else {})


def _delete(runtime: Runtime, task: Task, bucket: Bucket, params: Params) -> dict[str, Any]:
    bucket.delete(_key(params), params.get("VersionId"))
    return {}


def _copy(runtime: Runtime, task: Task, bucket: Bucket, params: Params) -> dict[str, Any]:
    name, _, key = str(params.get("CopySource", "")).lstrip("/").partition("/")
    source = _bucket(runtime, task, params, name)
    try:
        stored = bucket.copy(_key(params), source, key, None)
    except (NoSuchKey, NotFound):
        raise _refused("NoSuchKey", "The specified key does not exist.", 404) from None
    result = {"ETag": f'"{stored.etag}"', "LastModified": iso(int(stored.modified_at))}
    return {"CopyObjectResult": result, "ServerSideEncryption": "AES256"}


def _list(runtime: Runtime, task: Task, bucket: Bucket, params: Params) -> dict[str, Any]:
    prefix, delimiter = str(params.get("Prefix") or ""), params.get("Delimiter")
    most = min(int(params.get("MaxKeys") or S3_PAGE_KEYS_MAX), S3_PAGE_KEYS_MAX)
    after = params.get("ContinuationToken") or params.get("StartAfter")
    entries, further = bucket.list(prefix, delimiter, after, most)
    objects = [one for one in entries if not isinstance(one, str)]
    told: dict[str, Any] = {
        "Contents": [
            {
                "ETag": f'"{one.etag}"',
                "Key": one.key,
                "LastModified": iso(int(one.modified_at)),
                "Size": one.size,
                "StorageClass": "STANDARD",
            }
            for one in objects
        ],
        "IsTruncated": further is not None,
        "KeyCount": len(entries),
        "MaxKeys": most,
        "Name": bucket.name,
        "Prefix": prefix,
    }
    if delimiter is not None:
        told["CommonPrefixes"] = [{"Prefix": one} for one in entries if isinstance(one, str)]
    if further is not None:
        told["NextContinuationToken"] = further
    return told


_OPERATIONS: dict[str, Callable[[Runtime, Task, Bucket, Params], dict[str, Any]]] = {
    "copyObject": _copy,
    "deleteObject": _delete,
    "getObject": _get,
    "headObject": _describe,
    "listObjectsV2": _list,
    "putObject": _put,
}
