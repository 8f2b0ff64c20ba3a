"""The mark `botocore_knows` skips what an old botocore lacks, and no more."""

import pytest
from known_models import unknown_to_botocore

botocore = pytest.importorskip("botocore")


@pytest.mark.parametrize(
    "place",
    [
        *("PutObject", "PutObject.Key", "PutObject.ETag", "PutObject.ACL=private"),
        *("ListObjectsV2.Contents", "GetObjectAttributes.Checksum.ChecksumCRC32"),
    ],
)
def test_operations_and_members_are_known(place):
    assert unknown_to_botocore("s3", place) is None


@pytest.mark.parametrize(
    "place", ["PutThing", "PutObject.Thing", "PutObject.Key.Thing", "PutObject.ACL=thing"]
)
def test_what_no_botocore_knows_is_no_reason_to_skip(place, monkeypatch):
    monkeypatch.setattr(botocore, "__version__", "999.0")
    with pytest.raises(LookupError, match=f"does not know {place} of s3"):
        unknown_to_botocore("s3", "PutObject.Key", place)
    monkeypatch.setattr(botocore, "__version__", "1.0")
    assert unknown_to_botocore("s3", place) == f"botocore 1.0 does not know {place} of s3"
