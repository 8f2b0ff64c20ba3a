"""S3 through boto3: buckets, objects and their lists, against the server and in the process."""

from __future__ import annotations

import io

import pytest

botocore = pytest.importorskip("botocore")
from botocore.exceptions import ClientError  # noqa: E402


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_comes_back_as_it_was_put(s3, bucket):
    put = s3.put_object(
        Bucket=bucket,
        Key="folder/greeting.txt",
        Body=b"hello",
        ContentType="text/plain",
        CacheControl="no-cache",
        Metadata={"author": "ann"},
    )
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    got = s3.get_object(Bucket=bucket, Key="folder/greeting.txt")
    assert got["Body"].read() == b"hello"
    assert (got["ETag"], got["ContentLength"]) == (put["ETag"], 5)
    assert (got["ContentType"], got["CacheControl"]) == ("text/plain", "no-cache")
    assert got["Metadata"] == {"author": "ann"}
    head = s3.head_object(Bucket=bucket, Key="folder/greeting.txt")
    assert (head["ETag"], head["ContentLength"]) == (put["ETag"], 5)
    assert head["LastModified"] == got["LastModified"]


def test_an_empty_object_is_an_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    got = s3.get_object(Bucket=bucket, Key="empty")
    assert (got["Body"].read(), got["ContentLength"]) == (b"", 0)


def test_what_is_not_there_is_refused_by_its_name(s3, bucket):
    assert refusal(s3.get_object, Bucket=bucket, Key="x") == ("NoSuchKey", 404)
    assert refusal(s3.head_object, Bucket=bucket, Key="x") == ("404", 404)
    assert refusal(s3.get_object, Bucket="no-bucket", Key="x") == ("NoSuchBucket", 404)
    assert refusal(s3.head_bucket, Bucket="no-bucket") == ("404", 404)
    s3.delete_object(Bucket=bucket, Key="x")


def test_a_bucket_has_one_owner_and_goes_when_it_is_empty(s3, bucket, connect):
    names = [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert names == [bucket]
    other = connect("s3", account="111111111111")
    assert refusal(other.create_bucket, Bucket=bucket) == ("BucketAlreadyExists", 409)
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    assert refusal(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)
    assert s3.list_buckets()["Buckets"] == []
    bad = {"Bucket": "a" * 2}
    assert refusal(s3.create_bucket, **bad) == ("InvalidBucketName", 400)


@pytest.mark.botocore_knows("s3", "PutObject.IfNoneMatch", "PutObject.IfMatch")
def test_ranges_and_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]

    def get(**arguments):
        return s3.get_object(Bucket=bucket, Key="k", **arguments)

    part = get(Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert get(Range="bytes=-3")["Body"].read() == b"789"
    assert refusal(get, Range="bytes=10-") == ("InvalidRange", 416)
    assert get(IfMatch=etag)["Body"].read() == b"0123456789"
    assert refusal(get, IfMatch='"x"') == ("PreconditionFailed", 412)
    assert refusal(get, IfNoneMatch=etag) == ("304", 304)
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert refusal(s3.put_object, IfNoneMatch="*", **put) == ("PreconditionFailed", 412)
    assert refusal(s3.put_object, IfMatch='"x"', **put) == ("PreconditionFailed", 412)
    s3.put_object(IfMatch=etag, **put)


def test_lists_go_on_page_by_page(s3, bucket):
    keys = [f"{folder}/{name}" for folder in "abc" for name in "xyz"] + ["top", "ü&<é"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    for operation in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 2}
        )
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        assert found == sorted(keys, key=str.encode)
        pages = list(
            s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
            )
        )
        prefixes = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])]
        assert prefixes == ["a/", "b/", "c/"]
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        assert found == ["top", "ü&<é"]
    page = s3.list_objects_v2(Bucket=bucket, Prefix="b/", StartAfter="b/x")
    assert [entry["Key"] for entry in page["Contents"]] == ["b/y", "b/z"]
    assert page["KeyCount"] == 2


def test_many_objects_are_deleted_at_once(s3, bucket):
    for key in "abc":
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    gone = {"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "never"}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=gone)
    assert sorted(one["Key"] for one in answer["Deleted"]) == ["a", "b", "never"]
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["c"]


def test_versions_are_kept(s3, bucket):
    enabled = {"Status": "Enabled"}
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"first")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"second")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"
    got = s3.get_object(Bucket=bucket, Key="k", VersionId=first)
    assert (got["Body"].read(), got["VersionId"]) == (b"first", first)
    deleted = s3.delete_object(Bucket=bucket, Key="k")
    assert deleted["DeleteMarker"]
    assert refusal(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
    marker = {"Bucket": bucket, "Key": "k", "VersionId": deleted["VersionId"]}
    assert refusal(s3.get_object, **marker) == ("MethodNotAllowed", 405)
    listed = s3.list_object_versions(Bucket=bucket)
    assert [one["VersionId"] for one in listed["Versions"]] == [second, first, "null"]
    assert [one["IsLatest"] for one in listed["DeleteMarkers"]] == [True]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 1}
    )
    pages = list(pages)
    found = [one["VersionId"] for page in pages for one in page.get("Versions", [])]
    assert found == [second, first, "null"]
    s3.delete_object(**marker)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=second)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_checked_and_kept(s3, bucket, algorithm):
    pytest.importorskip("awscrt") if algorithm in ("CRC32C", "CRC64NVME") else None
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    member = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello"
    assert got[member] == put[member]
    wrong = {member: "AAAAAA==" if algorithm.startswith("CRC32") else "A" * 27 + "="}
    code, status = refusal(s3.put_object, Bucket=bucket, Key="w", Body=b"hello", **wrong)
    assert (code, status) == ("BadDigest", 400)
    assert refusal(s3.get_object, Bucket=bucket, Key="w") == ("NoSuchKey", 404)


def test_large_bodies_are_streamed_both_ways(s3, bucket):
    content = bytes(range(256)) * 4096 * 3
    s3.put_object(Bucket=bucket, Key="large", Body=io.BytesIO(content))
    body = s3.get_object(Bucket=bucket, Key="large")["Body"]
    assert b"".join(body.iter_chunks(100_000)) == content
