"""Uploads in parts, copies, tags and settings of S3, through boto3."""

from __future__ import annotations

import io

import pytest

botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

MIB = 1024 * 1024


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_an_upload_in_parts_becomes_an_object(s3, bucket):
    where = {"Bucket": bucket, "Key": "large"}
    upload = s3.create_multipart_upload(**where, ContentType="text/plain", Metadata={"a": "b"})
    where["UploadId"] = upload["UploadId"]
    contents = [b"a" * 5 * MIB, b"b" * 5 * MIB, b"c"]
    parts = []
    for number, content in enumerate(contents, 1):
        part = s3.upload_part(**where, PartNumber=number, Body=content)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    listed = s3.list_parts(**where)["Parts"]
    assert [part["Size"] for part in listed] == [5 * MIB, 5 * MIB, 1]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [one["UploadId"] for one in uploads] == [upload["UploadId"]]
    backwards = {"Parts": parts[::-1]}
    complete = s3.complete_multipart_upload
    assert code_of(complete, **where, MultipartUpload=backwards) == "InvalidPartOrder"
    wrong = {"Parts": [{**parts[0], "ETag": '"x"'}]}
    assert code_of(complete, **where, MultipartUpload=wrong) == "InvalidPart"
    done = complete(**where, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-3"')
    got = s3.get_object(Bucket=bucket, Key="large")
    assert got["Body"].read() == b"".join(contents)
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"a": "b"})
    second = s3.get_object(Bucket=bucket, Key="large", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (contents[1], 3)
    across = s3.get_object(Bucket=bucket, Key="large", Range=f"bytes={5 * MIB - 1}-{5 * MIB}")
    assert across["Body"].read() == b"ab"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert code_of(s3.list_parts, **where) == "NoSuchUpload"


def test_a_small_part_is_refused_unless_it_is_the_last(s3, bucket):
    where = {"Bucket": bucket, "Key": "k"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    tags = [s3.upload_part(**where, PartNumber=n, Body=b"x")["ETag"] for n in (1, 2)]
    parts = {"Parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]}
    assert code_of(s3.complete_multipart_upload, **where, MultipartUpload=parts) == "EntityTooSmall"
    s3.abort_multipart_upload(**where)
    assert code_of(s3.abort_multipart_upload, **where) == "NoSuchUpload"


@pytest.mark.botocore_knows("s3", "CreateMultipartUpload.ChecksumType")
@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_parts_have_checksums_and_so_has_the_object(s3, bucket, kind):
    where = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="CRC32", ChecksumType=kind)
    where["UploadId"] = upload["UploadId"]
    parts = []
    for number, content in enumerate([b"a" * 5 * MIB, b"b"], 1):
        part = s3.upload_part(**where, PartNumber=number, Body=content, ChecksumAlgorithm="CRC32")
        parts.append(
            {
                "PartNumber": number,
                "ETag": part["ETag"],
                "ChecksumCRC32": part["ChecksumCRC32"],
            }
        )
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ChecksumType"] == kind
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == done["ChecksumCRC32"]
    if kind == "FULL_OBJECT":
        whole = s3.put_object(
            Bucket=bucket, Key="w", Body=b"a" * 5 * MIB + b"b", ChecksumAlgorithm="CRC32"
        )
        assert whole["ChecksumCRC32"] == done["ChecksumCRC32"]
    else:
        assert done["ChecksumCRC32"].endswith("-2")


def test_files_travel_in_parts_and_threads(s3, bucket, tmp_path):
    transfer = pytest.importorskip("boto3.s3.transfer")
    content = bytes(range(256)) * 4096 * 20
    (tmp_path / "up").write_bytes(content)
    config = transfer.TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(str(tmp_path / "up"), bucket, "file", Config=config)
    assert s3.head_object(Bucket=bucket, Key="file")["ETag"].endswith('-4"')
    s3.download_file(bucket, "file", str(tmp_path / "down"), Config=config)
    assert (tmp_path / "down").read_bytes() == content
    s3.upload_fileobj(io.BytesIO(b"small"), bucket, "small")
    assert s3.get_object(Bucket=bucket, Key="small")["Body"].read() == b"small"


def test_copies(s3, bucket):
    s3.put_object(
        Bucket=bucket, Key="a b/ü", Body=b"content", Metadata={"x": "1"}, Tagging="color=red"
    )
    source = {"Bucket": bucket, "Key": "a b/ü"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Body"].read(), got["Metadata"], got["TagCount"]) == (b"content", {"x": "1"}, 1)
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"y": "2"},
    )
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"y": "2"}
    s3.delete_object(**source)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"content"
    itself = {"Bucket": bucket, "Key": "copy"}
    assert code_of(s3.copy_object, **itself, CopySource=itself) == "InvalidRequest"
    where = {"Bucket": bucket, "Key": "assembled"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part_copy(
        **where, PartNumber=1, CopySource=itself, CopySourceRange="bytes=2-4"
    )["CopyPartResult"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**where, MultipartUpload=parts)
    assert s3.get_object(Bucket=bucket, Key="assembled")["Body"].read() == b"nte"


def test_tags_of_objects(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1&b=2")
    tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    tags = [{"Key": "c", "Value": "3"}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    twice = {"TagSet": tags * 2}
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice) == "InvalidTag"


def test_settings_are_kept_and_what_is_not_built_is_refused(s3, bucket):
    assert code_of(s3.get_bucket_cors, Bucket=bucket) == "NoSuchCORSConfiguration"
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.test"], "MaxAgeSeconds": 5}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    s3.delete_bucket_cors(Bucket=bucket)
    assert code_of(s3.get_bucket_cors, Bucket=bucket) == "NoSuchCORSConfiguration"
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
    policy += '"Action":"s3:GetObject","Resource":"arn:aws:s3:::uploads/*"}]}'
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy="{") == "MalformedPolicy"
    s3.delete_bucket_policy(Bucket=bucket)
    put = {"Bucket": bucket, "Key": "k", "Body": b""}
    assert code_of(s3.put_object, **put, ObjectLockMode="GOVERNANCE") == "NotImplemented"
    assert code_of(s3.put_object, **put, ServerSideEncryption="aws:kms") == "NotImplemented"
    assert code_of(s3.get_object_lock_configuration, Bucket=bucket) == "NotImplemented"
    location = s3.get_bucket_location(Bucket=bucket)
    assert location["LocationConstraint"] is None


def test_a_delete_marker_has_no_tags(s3, bucket):
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    where = {"Bucket": bucket, "Key": "k", "VersionId": marker}
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    assert code_of(s3.put_object_tagging, **where, Tagging=tags) == "MethodNotAllowed"
    assert code_of(s3.get_object_tagging, **where) == "MethodNotAllowed"


@pytest.mark.parametrize("style", ["virtual", "auto", "path"])
def test_a_bucket_may_be_in_the_host_of_a_client_in_the_process(engine, style):
    boto3, aws = pytest.importorskip("boto3"), pytest.importorskip("trunkline.aws")
    config = Config(s3={"addressing_style": style})
    keys = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "x"}
    session = boto3.session.Session()
    outside = session.client("s3", region_name="us-east-1", config=config, **keys)
    with aws.local(engine):
        inside = session.client("s3", region_name="us-east-1", config=config, **keys)
        for client, name in ((outside, "outside"), (inside, "inside")):
            client.create_bucket(Bucket=name)
            client.put_object(Bucket=name, Key="a/b", Body=b"x")
            assert client.get_object(Bucket=name, Key="a/b")["Body"].read() == b"x"
