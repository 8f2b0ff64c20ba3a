"""Pages of S3's lists at their edges: what goes while a list is read, and pages of nothing."""

from __future__ import annotations

import pytest

botocore = pytest.importorskip("botocore")
from botocore.exceptions import ClientError  # noqa: E402


@pytest.fixture
def s3(connect):
    made = connect("s3")
    made.create_bucket(Bucket="uploads")
    return made


def version(s3, key):
    return s3.put_object(Bucket="uploads", Key=key, Body=b"x")["VersionId"]


@pytest.fixture
def versioned(s3):
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration=enabled)
    return s3


def test_versions_that_a_page_showed_may_be_deleted_before_the_next(versioned):
    for key in "aab":
        version(versioned, key)
    pages = versioned.get_paginator("list_object_versions").paginate(
        Bucket="uploads", PaginationConfig={"PageSize": 1}
    )
    for page in pages:
        gone = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in page["Versions"]]
        versioned.delete_objects(Bucket="uploads", Delete={"Objects": gone})
    versioned.delete_bucket(Bucket="uploads")


def test_prefixes_of_deleted_keys_are_in_lists_of_versions_alone(versioned):
    version(versioned, "a/x")
    versioned.delete_object(Bucket="uploads", Key="a/x")
    asked = {"Bucket": "uploads", "Delimiter": "/"}
    assert versioned.list_object_versions(**asked)["CommonPrefixes"] == [{"Prefix": "a/"}]
    assert "CommonPrefixes" not in versioned.list_objects_v2(**asked)


def test_a_page_of_nothing_is_the_last(versioned):
    version(versioned, "a")
    upload = versioned.create_multipart_upload(Bucket="uploads", Key="a")["UploadId"]
    where = {"Bucket": "uploads", "Key": "a", "UploadId": upload}
    versioned.upload_part(**where, PartNumber=1, Body=b"x")
    for page in [
        versioned.list_objects(Bucket="uploads", MaxKeys=0),
        versioned.list_objects_v2(Bucket="uploads", MaxKeys=0),
        versioned.list_object_versions(Bucket="uploads", MaxKeys=0),
        versioned.list_multipart_uploads(Bucket="uploads", MaxUploads=0),
        versioned.list_parts(**where, MaxParts=0),
    ]:
        assert page["IsTruncated"] is False


def test_numbers_and_markers_that_are_none_are_refused(versioned):
    for call, arguments in [
        (versioned.list_objects_v2, {"MaxKeys": -1}),
        (versioned.list_multipart_uploads, {"MaxUploads": -1}),
        (versioned.list_objects_v2, {"ContinuationToken": "!"}),
        (versioned.list_object_versions, {"VersionIdMarker": "x"}),
    ]:
        with pytest.raises(ClientError) as caught:
            call(Bucket="uploads", **arguments)
        assert caught.value.response["Error"]["Code"] == "InvalidArgument"


def test_a_prefix_of_uploads_is_shown_once(s3):
    for key in ("a/1", "a/2", "b/1", "c"):
        s3.create_multipart_upload(Bucket="uploads", Key=key)
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket="uploads", Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    pages = list(pages)
    found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])]
    assert found == ["a/", "b/"]
    assert [one["Key"] for page in pages for one in page.get("Uploads", [])] == ["c"]


def test_a_copied_part_is_a_stretch_that_is_there(s3):
    s3.put_object(Bucket="uploads", Key="k", Body=b"0123456789")
    where = {"Bucket": "uploads", "Key": "large", "PartNumber": 1, "CopySource": "uploads/k"}
    where["UploadId"] = s3.create_multipart_upload(Bucket="uploads", Key="large")["UploadId"]
    for wrong in ("bytes=5-10", "bytes=5-", "bytes=-5", "bytes=5-4", "5-6"):
        with pytest.raises(ClientError) as caught:
            s3.upload_part_copy(**where, CopySourceRange=wrong)
        assert caught.value.response["Error"]["Code"] == "InvalidArgument", wrong
    s3.upload_part_copy(**where, CopySourceRange="bytes=5-9")
