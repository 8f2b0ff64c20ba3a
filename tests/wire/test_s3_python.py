"""What Python puts into a bucket is what S3 serves, and the other way round."""

from __future__ import annotations

import io

import pytest

botocore = pytest.importorskip("botocore")
from botocore.exceptions import ClientError  # noqa: E402

import trunkline  # noqa: E402

MIB = 1024 * 1024


@pytest.fixture
def uploads(engine):
    return engine.bucket("uploads")


def test_what_python_puts_is_served(s3, uploads):
    content = bytes(range(256)) * 4_096
    put = uploads.put(
        "notes/ü 1",
        io.BytesIO(content),
        metadata={"By": "ann"},
        content_type="text/csv",
        tags={"state": "paid"},
    )
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["uploads"]
    got = s3.get_object(Bucket="uploads", Key="notes/ü 1")
    assert got["Body"].read() == content
    assert (got["ETag"], got["ContentType"]) == (f'"{put.etag}"', "text/csv")
    assert (got["Metadata"], got["TagCount"]) == ({"by": "ann"}, 1)
    assert int(got["LastModified"].timestamp()) == int(put.modified_at)
    tags = s3.get_object_tagging(Bucket="uploads", Key="notes/ü 1")["TagSet"]
    assert tags == [{"Key": "state", "Value": "paid"}]
    part = s3.get_object(Bucket="uploads", Key="notes/ü 1", Range="bytes=-3")
    assert part["Body"].read() == uploads.get("notes/ü 1", range=(-3, None)).bytes()
    assert s3.head_object(Bucket="uploads", Key="notes/ü 1")["ContentLength"] == len(content)


def test_what_s3_puts_is_read(s3, uploads):
    put = s3.put_object(
        Bucket="uploads",
        Key="a",
        Body=b"one coffee",
        Metadata={"by": "ann"},
        ContentType="text/plain",
        Tagging="state=paid",
    )
    with uploads.get("a") as reader:
        assert (reader.bytes(), f'"{reader.etag}"') == (b"one coffee", put["ETag"])
        assert (reader.metadata, reader.content_type) == ({"by": "ann"}, "text/plain")
    assert uploads.head("a").tags == {"state": "paid"}
    uploads.copy("a", "b")
    copied = s3.get_object(Bucket="uploads", Key="b", ChecksumMode="ENABLED")
    assert (copied["Body"].read(), copied["Metadata"]) == (b"one coffee", {"by": "ann"})


def test_an_upload_in_parts_is_read_as_one(s3, uploads):
    where = {"Bucket": "uploads", "Key": "large"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    assert uploads.statistics()["uploads"] == 1
    contents = [b"a" * 5 * MIB, b"b" * 10]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(**where, PartNumber=number, Body=content)["ETag"],
        }
        for number, content in enumerate(contents, 1)
    ]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    reader = uploads.get("large")
    assert b"".join(reader) == b"".join(contents)
    assert reader.etag.endswith("-2")
    assert uploads.get("large", range=(5 * MIB - 1, 5 * MIB + 1)).bytes() == b"ab"


def test_versions_and_markers_are_the_same_ones(s3, uploads):
    uploads.configure(versioned=True)
    assert s3.get_bucket_versioning(Bucket="uploads")["Status"] == "Enabled"
    first = uploads.put("a", b"one")
    second = s3.put_object(Bucket="uploads", Key="a", Body=b"two")["VersionId"]
    uploads.delete("a")
    listed = s3.list_object_versions(Bucket="uploads")
    assert [one["VersionId"] for one in listed["Versions"]] == [second, first.version_id]
    marker = listed["DeleteMarkers"][0]["VersionId"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="uploads", Key="a")
    with pytest.raises(trunkline.NoSuchKey, match="delete marker"):
        uploads.get("a", version=marker)
    uploads.delete("a", version=marker)
    assert s3.get_object(Bucket="uploads", Key="a")["VersionId"] == second
    assert uploads.get("a", version=first.version_id).bytes() == b"one"


def test_lists_have_the_same_entries(s3, uploads):
    for key in ("a/1", "a/2", "b", "\U0001f600", "\uffee"):
        uploads.put(key, key)
    listed = s3.list_objects_v2(Bucket="uploads")
    assert [one["Key"] for one in listed["Contents"]] == [one.key for one in uploads.list()]
    grouped = s3.list_objects_v2(Bucket="uploads", Delimiter="/")
    prefixes = [one["Prefix"] for one in grouped["CommonPrefixes"]]
    assert prefixes == [one for one in uploads.list(delimiter="/") if isinstance(one, str)]


def test_a_put_and_a_delete_of_python_notify(s3, engine, uploads):
    queue = engine.queue("changes")
    arn = "arn:aws:sqs:us-east-1:000000000000:changes"
    entry = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="uploads", NotificationConfiguration={"QueueConfigurations": [entry]}
    )
    queue.purge()
    uploads.put("a", b"one")
    uploads.copy("a", "b")
    uploads.delete("a")
    events = [
        record["eventName"]
        for message in queue.receive(max=10)
        for record in message.json()["Records"]
    ]
    assert sorted(events) == ["ObjectCreated:Copy", "ObjectCreated:Put", "ObjectRemoved:Delete"]
