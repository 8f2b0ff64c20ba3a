"""Buckets from Python: what comes back, what is refused, and what is never held as a whole."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile

import pytest

import trunkline

MIB = 1024 * 1024


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


@pytest.fixture
def uploads(engine):
    return engine.bucket("uploads")


def test_a_bucket_is_created_once_and_found_again(engine):
    with pytest.raises(trunkline.NoSuchBucket, match="create it first"):
        engine.bucket("uploads", create=False)
    made = engine.bucket("uploads", region="eu-west-1")
    made.put("a", b"one")
    found = engine.bucket("uploads", create=False)
    assert (found.region, found.arn) == ("eu-west-1", "arn:aws:s3:::uploads")
    assert found.get("a").bytes() == b"one"
    with pytest.raises(trunkline.ConflictException, match="region eu-west-1, not us-east-1"):
        engine.bucket("uploads", region="us-east-1")
    engine.bucket("archive", account="111111111111")
    assert [bucket.name for bucket in engine.buckets()] == ["uploads"]
    assert [bucket.name for bucket in engine.buckets(account="111111111111")] == ["archive"]
    assert engine.buckets("up", region="us-east-1") == []
    with pytest.raises(trunkline.InvalidParameterValue, match="3 to 63 lower-case letters"):
        engine.bucket("No Bucket")
    engine.close()
    with pytest.raises(trunkline.EngineClosed):
        engine.bucket("uploads")


@pytest.mark.parametrize(
    "data",
    [
        b"one coffee",
        "one coffee",
        bytearray(b"one coffee"),
        memoryview(b"_one coffee")[1:],
        memoryview(b"eeffoc eno")[::-1],
        io.BytesIO(b"one coffee"),
    ],
    ids=["bytes", "str", "bytearray", "view", "strided", "file"],
)
def test_all_kinds_of_data_are_put(uploads, data):
    put = uploads.put("a", data)
    assert put.etag == hashlib.md5(b"one coffee", usedforsecurity=False).hexdigest()
    assert uploads.get("a").text() == "one coffee"


def test_metadata_tags_and_type_come_back(uploads):
    before = uploads.put("a", b"")
    assert (before.size, before.metadata, before.tags) == (0, {}, {})
    assert (before.content_type, before.version_id) == ("binary/octet-stream", "null")
    uploads.put("a", b"1", metadata={"By-Whom": "ann"}, content_type="text/csv", tags={"x": "ü"})
    for known in (uploads.head("a"), uploads.get("a").object, *uploads.list("a")):
        assert known.metadata == {"by-whom": "ann"}
        assert (known.content_type, known.tags, known.size) == ("text/csv", {"x": "ü"}, 1)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"metadata": {"a b": "1"}}, "no name of a header"),
        ({"metadata": {"a": "1\r\nx: 2"}}, "no value of a header"),
        ({"metadata": {"a": " 1"}}, "no value of a header"),
        ({"metadata": {"a": "1", "A": "2"}}, "is there twice"),
        ({"metadata": {"a": "x" * 2_048}}, "2049 bytes; 2048 are allowed"),
        ({"content_type": ""}, "It is empty"),
        ({"content_type": "text/ü"}, "no value of a header"),
        ({"tags": {str(number): "" for number in range(11)}}, "an object has 10 at most"),
        ({"tags": {"": "x"}}, "1 to 128 characters"),
        ({"if_absent": True, "if_match": "x"}, "if_absent or if_match"),
    ],
)
def test_what_s3_does_not_take_is_refused(uploads, options, reason):
    with pytest.raises(trunkline.InvalidParameterValue, match=reason):
        uploads.put("a", b"one", **options)
    assert list(uploads.list()) == []


@pytest.mark.parametrize("key", ["", "x" * 1_025, "a\0b", "\ud800"])
def test_a_key_that_no_object_has_is_refused(uploads, key):
    with pytest.raises(trunkline.InvalidParameterValue, match="key"):
        uploads.put(key, b"one")


def test_wrong_types_are_named(uploads):
    with pytest.raises(TypeError, match="a binary file, not int"):
        uploads.put("a", 7)
    with pytest.raises(TypeError, match="returned str, not bytes; open it with mode 'rb'"):
        uploads.put("a", io.StringIO("text"))
    with pytest.raises(TypeError, match="metadata must map str to str"):
        uploads.put("a", b"", metadata={"a": 1})
    with pytest.raises(TypeError, match="metadata must be a mapping"):
        uploads.put("a", b"", metadata=["a"])
    with pytest.raises(TypeError, match=r"range must be a pair"):
        uploads.get("a", range=5)
    with pytest.raises(TypeError, match="to must be a Bucket, not str"):
        uploads.copy("a", "b", to="archive")
    with pytest.raises(TypeError, match="versioned must be True or False"):
        uploads.configure(versioned=1)


def test_what_is_not_there_is_named(engine, uploads):
    for call in (uploads.get, uploads.head):
        with pytest.raises(trunkline.NoSuchKey):
            call("a")
        with pytest.raises(trunkline.NoSuchKey):
            call("a", version="0" * 32)
    with pytest.raises(trunkline.NoSuchKey):
        uploads.copy("a", "b")
    uploads.delete("a")
    uploads.remove()
    with pytest.raises(trunkline.NoSuchBucket):
        uploads.put("a", b"one")
    with pytest.raises(trunkline.NoSuchBucket):
        next(uploads.list())


@pytest.mark.parametrize(
    "range", [(0, 4), (4, None), (None, 3), (-6, None), (-6, -2), (8, 99), (99, None), (5, 2)]
)
def test_a_range_is_a_slice(uploads, range):
    content = b"one coffee"
    uploads.put("a", content)
    reader = uploads.get("a", range=range)
    assert (reader.bytes(), reader.size) == (content[slice(*range)], 10)


def test_a_reader_reads_on_and_ends(uploads):
    uploads.put("a", b"one coffee")
    with uploads.get("a") as reader:
        assert (reader.read(3), reader.read(0), reader.read(2**62)) == (b"one", b"", b" coffee")
        assert (reader.read(), reader.read(5), list(reader)) == (b"", b"", [])
        with pytest.raises(trunkline.InvalidParameterValue, match="parameter n"):
            reader.read(-2)
    with pytest.raises(trunkline.UnsupportedOperation, match="Get the object again"):
        reader.read()
    reader.close()


def test_a_reader_keeps_what_it_reads(tmp_path):
    with trunkline.open(tmp_path / "data") as engine:
        uploads = engine.bucket("uploads")
        uploads.put("a", b"x" * MIB)
        uploads.put("b", b"y" * MIB)
        replaced, deleted = uploads.get("a"), uploads.get("b")
        uploads.put("a", b"other")
        uploads.delete("b")
        assert replaced.read(10) == b"x" * 10
        pieces = list(deleted)
        assert b"".join(pieces) == b"y" * MIB
        assert max(map(len, pieces)) == 256 * 1024
        assert replaced.bytes() == b"x" * (MIB - 10)


LARGE = """
import io, resource, sys, trunkline

class Endless(io.RawIOBase):
    left = 96 << 20

    def read(self, size=-1):
        taken = min(size, self.left)
        self.left -= taken
        return b"z" * taken

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

with trunkline.open(sys.argv[1], durability="os") as engine:
    uploads = engine.bucket("uploads")
    uploads.put("small", io.BytesIO(b"z" * (1 << 20)))
    assert sum(map(len, uploads.get("small"))) == 1 << 20
    before = peak()
    assert uploads.put("large", Endless()).size == 96 << 20
    assert sum(map(len, uploads.get("large"))) == 96 << 20
    print(peak() - before)
"""


def test_a_large_file_is_never_held_whole(tmp_path):
    # In a process of its own: the peak of this one may be high already.
    command = [sys.executable, "-c", LARGE, str(tmp_path / "data")]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=120, check=True)
    assert int(done.stdout) < 32 * MIB


def test_a_file_that_fails_leaves_nothing(tmp_path):
    class Failing(io.RawIOBase):
        pieces = 3

        def read(self, size=-1):
            self.pieces -= 1
            if self.pieces < 0:
                raise OSError("the device is gone")
            return b"z" * size

    folder = tmp_path / "data"
    with trunkline.open(folder) as engine:
        uploads = engine.bucket("uploads")
        with pytest.raises(OSError, match="the device is gone"):
            uploads.put("a", Failing())
        assert list(uploads.list()) == []
        contents = [path.name for path in folder.rglob("*") if ".body" in path.name]
        assert contents == []
        uploads.put("a", b"one")
        assert uploads.get("a").bytes() == b"one"


def test_a_put_may_depend_on_what_is_there(uploads):
    first = uploads.put("a", b"one", if_absent=True)
    with pytest.raises(trunkline.PreconditionFailed):
        uploads.put("a", b"two", if_absent=True)
    with pytest.raises(trunkline.PreconditionFailed):
        uploads.put("a", b"two", if_match="0" * 32)
    with pytest.raises(trunkline.NoSuchKey):
        uploads.put("b", b"two", if_match=first.etag)
    uploads.put("a", b"two", if_match=f'"{first.etag}"')
    assert uploads.get("a").bytes() == b"two"


def test_a_list_goes_over_its_pages(uploads, monkeypatch):
    monkeypatch.setattr("trunkline.buckets.bucket.PAGE_ENTRIES", 3)
    keys = [f"{folder}/{number}" for folder in "abcd" for number in range(4)] + ["top"]
    for key in reversed(keys):
        uploads.put(key, key)
    assert [entry.key for entry in uploads.list()] == keys
    assert [entry.key for entry in uploads.list("b/")] == keys[4:8]
    grouped = list(uploads.list(delimiter="/"))
    assert grouped[:4] == ["a/", "b/", "c/", "d/"]
    assert [entry.key for entry in grouped[4:]] == ["top"]
    with pytest.raises(trunkline.InvalidParameterValue, match="delimiter"):
        uploads.list(delimiter="")
    for entry in uploads.list("a/"):
        uploads.delete(entry.key)
    assert list(uploads.list("a/")) == []


def test_versions_stay_behind_a_delete_marker(uploads):
    assert uploads.versioned is False
    uploads.configure(versioned=True)
    first, second = uploads.put("a", b"one"), uploads.put("a", b"two")
    uploads.delete("a")
    assert (list(uploads.list()), uploads.versioned) == ([], True)
    with pytest.raises(trunkline.NoSuchKey):
        uploads.get("a")
    assert uploads.get("a", version=first.version_id).bytes() == b"one"
    assert uploads.copy("a", "a", version=second.version_id).etag == second.etag
    assert uploads.get("a").bytes() == b"two"
    uploads.delete("a", version=first.version_id)
    with pytest.raises(trunkline.NoSuchKey):
        uploads.head("a", version=first.version_id)
    uploads.configure(versioned=False)
    assert (uploads.versioned, uploads.put("a", b"3").version_id) == (False, "null")


def test_a_copy_has_content_metadata_and_tags(engine, uploads):
    uploads.put("a", b"one", metadata={"by": "ann"}, content_type="text/csv", tags={"x": "y"})
    archive = engine.bucket("archive")
    copied = uploads.copy("a", "b", to=archive)
    uploads.delete("a")
    assert (copied.key, copied.metadata, copied.tags) == ("b", {"by": "ann"}, {"x": "y"})
    assert archive.get("b").bytes() == b"one"
    with (
        trunkline.open() as other,
        pytest.raises(trunkline.InvalidParameterValue, match="another engine"),
    ):
        archive.copy("b", "c", to=other.bucket("uploads"))


def test_a_bucket_with_objects_is_not_removed(engine, uploads):
    uploads.put("a", b"one")
    assert uploads.statistics() == {"objects": 1, "bytes": 3, "uploads": 0}
    with pytest.raises(trunkline.BucketNotEmpty):
        uploads.remove()
    uploads.delete("a")
    uploads.remove()
    assert engine.buckets() == []


def test_objects_survive_a_restart_and_a_folder_that_is_looked_at_stays(tmp_path):
    with trunkline.open(tmp_path / "data") as engine:
        uploads = engine.bucket("uploads")
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * MIB)
            file.seek(0)
            put = uploads.put("a", file, metadata={"by": "ann"})
    with trunkline.open(tmp_path / "data", read_only=True) as engine:
        uploads = engine.bucket("uploads", create=False)
        known = uploads.head("a")
        assert (known.etag, known.metadata) == (put.etag, {"by": "ann"})
        assert known.modified_at == put.modified_at
        assert uploads.get("a", range=(-1, None)).bytes() == b"x"
        with pytest.raises(trunkline.EngineReadOnly):
            uploads.put("a", b"two")
        with pytest.raises(trunkline.EngineReadOnly):
            uploads.delete("a")


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("put_object", lambda bucket: bucket.put("b", b"two")),
        ("put_object", lambda bucket: bucket.copy("a", "b")),
        ("get_object", lambda bucket: bucket.get("a")),
        ("get_object", lambda bucket: bucket.head("a")),
        ("list_objects", lambda bucket: list(bucket.list())),
        ("delete_object", lambda bucket: bucket.delete("a")),
    ],
)
def test_a_fault_rule_stops_a_verb(engine, uploads, verb, call):
    uploads.put("a", b"one")
    engine.faults.error(verb, times=1)
    with pytest.raises(trunkline.InjectedFault):
        call(uploads)
    assert [entry.key for entry in uploads.list()] == ["a"]
    call(uploads)
