"""Storage classes, GetObjectAttributes, links that have expired, and what is refused by name."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest

botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

MIB = 1024 * 1024


@pytest.fixture
def s3(connect):
    client = connect("s3")
    client.create_bucket(Bucket="uploads")
    return client


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def test_a_storage_class_is_kept_and_told(s3):
    where = {"Bucket": "uploads", "Key": "a"}
    s3.put_object(**where, Body=b"x", StorageClass="STANDARD_IA")
    assert s3.head_object(**where)["StorageClass"] == "STANDARD_IA"
    listed = s3.list_objects_v2(Bucket="uploads")["Contents"]
    assert [one["StorageClass"] for one in listed] == ["STANDARD_IA"]
    # A copy has the class that it asks for; another class is reason enough to copy in place.
    s3.copy_object(**where, CopySource="uploads/a", StorageClass="ONEZONE_IA")
    assert s3.head_object(**where)["StorageClass"] == "ONEZONE_IA"
    s3.copy_object(Bucket="uploads", Key="b", CopySource="uploads/a")
    assert "StorageClass" not in s3.head_object(Bucket="uploads", Key="b")
    upload = s3.create_multipart_upload(Bucket="uploads", Key="c", StorageClass="GLACIER_IR")
    (found,) = s3.list_multipart_uploads(Bucket="uploads")["Uploads"]
    assert (found["UploadId"], found["StorageClass"]) == (upload["UploadId"], "GLACIER_IR")
    told = refusal(s3.put_object, **where, Body=b"", StorageClass="GLACIER")
    assert told["Code"] == "NotImplemented"
    assert told["Message"].endswith("x-amz-storage-class: GLACIER")
    told = refusal(s3.put_object, **where, Body=b"", StorageClass="BRONZE")
    assert told["Code"] == "InvalidStorageClass"


@pytest.mark.botocore_knows("s3", "GetObjectAttributes.Checksum.ChecksumType")
def test_the_attributes_of_an_object_are_told_as_asked(s3):
    where = {"Bucket": "uploads", "Key": "a"}
    every = ["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"]
    put = s3.put_object(**where, Body=b"123456789", ChecksumAlgorithm="SHA256")
    told = s3.get_object_attributes(**where, ObjectAttributes=every)
    assert told["ETag"] == put["ETag"].strip('"')
    assert told["Checksum"] == {
        "ChecksumSHA256": put["ChecksumSHA256"], "ChecksumType": "FULL_OBJECT",
    }  # fmt: skip
    assert (told["ObjectSize"], told["StorageClass"]) == (9, "STANDARD")
    assert "ObjectParts" not in told
    assert told["LastModified"] == s3.head_object(**where)["LastModified"]
    assert set(s3.get_object_attributes(**where, ObjectAttributes=["ObjectSize"])) == {
        "LastModified", "ObjectSize", "ResponseMetadata",
    }  # fmt: skip
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="CRC32")["UploadId"]
    parts = []
    for number, content in enumerate((b"a" * 5 * MIB, b"b" * 5 * MIB, b"c"), 1):
        options = {"PartNumber": number, "Body": content, "ChecksumAlgorithm": "CRC32"}
        part = s3.upload_part(**where, UploadId=upload, **options)
        named = {name: part[name] for name in ("ETag", "ChecksumCRC32")}
        parts.append({"PartNumber": number, **named})
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    asked = {**where, "ObjectAttributes": ["ObjectParts"], "MaxParts": 2}
    told = s3.get_object_attributes(**asked)["ObjectParts"]
    assert told["TotalPartsCount"] == 3
    assert [one["Size"] for one in told["Parts"]] == [5 * MIB, 5 * MIB]
    assert (told["IsTruncated"], told["NextPartNumberMarker"]) == (True, 2)
    assert refusal(s3.get_object_attributes, **{**asked, "Key": "none"})["Code"] == "NoSuchKey"


def ask(url, method="GET", body=None, headers=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request(method, f"{parts.path}?{parts.query}", body, headers or {})
    answer = connection.getresponse()
    status, text = answer.status, answer.read()
    connection.close()
    return status, text


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_link_that_has_expired_is_refused_although_nothing_is_proved(server, version):
    boto3 = pytest.importorskip("boto3")
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    config = Config(signature_version=version)
    s3 = boto3.session.Session().client(
        "s3", endpoint_url=server.url, region_name="us-east-1", config=config, **keys
    )
    s3.create_bucket(Bucket="uploads")
    s3.put_object(Bucket="uploads", Key="a", Body=b"x")
    where = {"Params": {"Bucket": "uploads", "Key": "a"}}
    early = s3.generate_presigned_url("get_object", **where, ExpiresIn=1)
    assert ask(s3.generate_presigned_url("get_object", **where, ExpiresIn=600)) == (200, b"x")
    # Signatures tell the time of the machine.
    time.sleep(2.1)
    status, text = ask(early)
    assert (status, b"Request has expired" in text) == (403, True)


def test_an_upload_by_a_form_is_refused_by_its_name(server):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    status, text = ask(server.url + "/uploads", "POST", b"--x--", kind)
    assert (status, b"POST Object" in text) == (501, True)
