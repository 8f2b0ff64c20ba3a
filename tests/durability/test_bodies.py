"""Contents of objects that are gone or cut: the folder is not called sound."""

from __future__ import annotations

import pytest

import trunkline
from trunkline.cli import main

aws = pytest.importorskip("trunkline.aws")
pytest.importorskip("botocore")


@pytest.fixture
def folder(tmp_path):
    """A data folder with a bucket; each content is a file of its own."""
    with trunkline.open(tmp_path / "data") as engine:
        s3 = aws.client("s3", engine=engine)
        s3.create_bucket(Bucket="uploads")
        for key in ("a", "b"):
            s3.put_object(Bucket="uploads", Key=key, Body=b"content")
        upload = s3.create_multipart_upload(Bucket="uploads", Key="c")["UploadId"]
        s3.upload_part(Bucket="uploads", Key="c", UploadId=upload, PartNumber=1, Body=b"part")
    return tmp_path / "data"


def test_a_folder_with_every_body_is_sound(folder, capsys):
    trunkline.verify(folder)
    assert main(["inspect", str(folder)]) == 0
    assert "bucket uploads: objects 2, bytes 14, uploads 1" in capsys.readouterr().out


@pytest.mark.parametrize("number", range(3))
def test_a_body_that_is_cut_or_gone_is_damage(folder, number):
    body = sorted(folder.glob("*.body"))[number]
    content = body.read_bytes()
    body.write_bytes(content[:-1])
    with pytest.raises(trunkline.CorruptJournal, match=f"{body.name} has {len(content) - 1}; "):
        trunkline.verify(folder)
    body.unlink()
    with pytest.raises(trunkline.CorruptJournal, match=f"{body.name} is missing"):
        trunkline.verify(folder)
    body.write_bytes(content)
    trunkline.verify(folder)
