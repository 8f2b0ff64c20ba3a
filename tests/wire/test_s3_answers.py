"""What S3 answers where programs look at more than the content: verified against AWS by moto."""

from __future__ import annotations

import base64
import hashlib

import pytest

botocore = pytest.importorskip("botocore")
from botocore.exceptions import ClientError  # noqa: E402


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response


def error_of(call, **arguments):
    error = refused(call, **arguments)["Error"]
    return error["Code"], error["Message"]


def located(constraint):
    return {"CreateBucketConfiguration": {"LocationConstraint": constraint}}


@pytest.mark.parametrize("constraint", ["us-east-1", "us-east-2", "eu-central-1", "EU"])
def test_a_bucket_is_created_in_the_region_that_is_called(connect, constraint):
    s3 = connect("s3", region="us-west-2")
    message = (
        f"The {constraint} location constraint is incompatible for the region specific endpoint "
        "this request was sent to."
    )
    answer = error_of(s3.create_bucket, Bucket="uploads", **located(constraint))
    assert answer == ("IllegalLocationConstraintException", message)
    code, message = error_of(s3.create_bucket, Bucket="uploads")
    assert code == "IllegalLocationConstraintException"
    assert message.startswith("The unspecified location constraint")
    s3.create_bucket(Bucket="uploads", **located("us-west-2"))
    assert s3.head_bucket(Bucket="uploads")["BucketRegion"] == "us-west-2"


def test_the_oldest_region_creates_buckets_in_every_region_and_takes_no_constraint_of_its_own(s3):
    for constraint in ("us-east-1", "somewhere"):
        code, message = error_of(s3.create_bucket, Bucket="uploads", **located(constraint))
        assert code == "InvalidLocationConstraint"
        assert message == "The specified location-constraint is not valid"
    s3.create_bucket(Bucket="uploads", **located("EU"))
    assert s3.head_bucket(Bucket="uploads")["BucketRegion"] == "eu-west-1"


def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def test_a_read_of_a_deleted_key_tells_of_its_marker(s3, bucket):
    versioned(s3, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    for call in (s3.head_object, s3.get_object):
        metadata = refused(call, Bucket=bucket, Key="k")["ResponseMetadata"]
        headers = metadata["HTTPHeaders"]
        assert metadata["HTTPStatusCode"] == 404
        assert headers["x-amz-delete-marker"] == "true"
        assert headers["x-amz-version-id"] == marker
        absent = refused(call, Bucket=bucket, Key="other")["ResponseMetadata"]["HTTPHeaders"]
        assert "x-amz-delete-marker" not in absent


def test_a_version_that_is_gone_is_named_in_what_is_answered(s3, bucket):
    versioned(s3, bucket)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"]
    where = {"Bucket": bucket, "Key": "k", "VersionId": version}
    assert s3.delete_object(**where)["VersionId"] == version
    again = s3.delete_object(**where)
    assert again["VersionId"] == version
    assert "DeleteMarker" not in again
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    error = refused(s3.put_object_tagging, **where, Tagging=tags)["Error"]
    assert (error["Code"], error["Key"], error["VersionId"]) == ("NoSuchVersion", "k", version)


def test_tags_of_aws_are_given_by_aws_alone(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    tags = {"TagSet": [{"Key": "aws:a", "Value": "1"}]}
    of_object = ("InvalidTag", "Your TagKey cannot be prefixed with aws:")
    where = {"Bucket": bucket, "Key": "k"}
    assert error_of(s3.put_object, **where, Body=b"", Tagging="aws:a=1") == of_object
    assert error_of(s3.put_object_tagging, **where, Tagging=tags) == of_object
    of_bucket = ("InvalidTag", "System tags cannot be added/updated by requester")
    assert error_of(s3.put_bucket_tagging, Bucket=bucket, Tagging=tags) == of_bucket
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "b:aws:a", "Value": ""}]})


def test_a_bucket_without_tags_has_no_set_of_them(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    assert error_of(s3.get_bucket_tagging, Bucket=bucket)[0] == "NoSuchTagSet"


def sha256(content):
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_a_copy_has_the_checksum_and_the_redirect_that_it_asks_for(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one coffee", WebsiteRedirectLocation="/from")
    copied = s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=f"{bucket}/k",
        ChecksumAlgorithm="SHA256",
        WebsiteRedirectLocation="/to",
    )
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == sha256(b"one coffee")
    got = s3.get_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert (got["ChecksumSHA256"], got["ChecksumType"]) == (sha256(b"one coffee"), "FULL_OBJECT")
    assert "ChecksumCRC32" not in got
    assert got["WebsiteRedirectLocation"] == "/to"
    s3.copy_object(Bucket=bucket, Key="plain", CopySource=f"{bucket}/k")
    assert "WebsiteRedirectLocation" not in s3.head_object(Bucket=bucket, Key="plain")


def test_a_copied_part_has_the_checksum_of_its_upload(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one coffee")
    where = {"Bucket": bucket, "Key": "copy"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    where["UploadId"] = upload
    part = s3.upload_part_copy(**where, PartNumber=1, CopySource=f"{bucket}/k")["CopyPartResult"]
    assert part["ChecksumSHA256"] == sha256(b"one coffee")
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]
    whole = sha256(hashlib.sha256(b"one coffee").digest())
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ChecksumSHA256"] == f"{whole}-1"
    asked = {"Bucket": bucket, "Key": "copy", "ObjectAttributes": ["Checksum"]}
    assert s3.get_object_attributes(**asked)["Checksum"]["ChecksumSHA256"] == whole


def test_a_copy_to_itself_may_name_the_class_that_the_object_has(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    where = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k"}
    assert error_of(s3.copy_object, **where)[0] == "InvalidRequest"
    s3.copy_object(**where, StorageClass="STANDARD")


def test_a_condition_of_a_copy_is_named_as_it_was_given(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    where = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/k"}
    error = refused(s3.copy_object, **where, CopySourceIfMatch='"other"')["Error"]
    assert error["Code"] == "PreconditionFailed"
    assert error["Condition"] == "x-amz-copy-source-If-Match"


def test_an_upload_that_was_completed_can_be_completed_again(s3, bucket):
    where = {"Bucket": bucket, "Key": "k"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    tag = s3.upload_part(**where, PartNumber=1, Body=b"one coffee")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    done = s3.complete_multipart_upload(**where, MultipartUpload=parts)
    again = s3.complete_multipart_upload(**where, MultipartUpload=parts, IfNoneMatch="*")
    same = ("Bucket", "Key", "ETag", "Location", "ChecksumCRC32", "ChecksumCRC64NVME")
    assert [again.get(name) for name in same] == [done.get(name) for name in same]
    # The id of the upload is the service's own, and a copy is none of its objects.
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    headers = s3.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]
    assert where["UploadId"] not in headers.values()
    s3.put_object(Bucket=bucket, Key="k", Body=b"another")
    call = s3.complete_multipart_upload
    assert error_of(call, **where, MultipartUpload=parts)[0] == "NoSuchUpload"
    call = s3.abort_multipart_upload
    assert error_of(call, **where)[0] == "NoSuchUpload"


def test_a_bucket_ends_with_the_uploads_that_are_not_complete(s3, bucket):
    where = {"Bucket": bucket, "Key": "k"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    s3.upload_part(**where, PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_a_bucket_that_never_had_versions_has_none_to_name(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"one")
    where = {"Bucket": bucket, "Key": "k", "VersionId": "other"}
    for call in (s3.get_object, s3.delete_object, s3.get_object_tagging):
        assert error_of(call, **where) == ("InvalidArgument", "Invalid version id specified")
    where["VersionId"] = "null"
    assert s3.get_object(**where)["Body"].read() == b"one"
    versioned(s3, bucket)
    where["VersionId"] = "other"
    assert error_of(s3.get_object, **where)[0] == "NoSuchVersion"


def test_an_empty_continuation_token_is_none_that_was_given(s3, bucket):
    answer = error_of(s3.list_objects_v2, Bucket=bucket, ContinuationToken="")
    assert answer == ("InvalidArgument", "The continuation token provided is incorrect")
