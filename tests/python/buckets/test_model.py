"""A state machine holds a bucket against a dict, with restarts on the way."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import trunkline

# Few and alike, so that keys meet; one sorts behind the others in UTF-8 and before them in UTF-16.
KEYS = st.sampled_from(["a", "a/1", "a/2", "a//", "b/..", "b/ü", "\uffee", "\U0001f600"])
CONTENTS = st.binary(max_size=20) | st.integers(1, 3).map(lambda mib: b"%d" % mib * mib * 300_000)
METADATA = st.dictionaries(st.sampled_from(["by", "of"]), st.sampled_from(["", "ann", "b c"]))
BUCKETS = st.sampled_from(["uploads", "archive"])

Objects = dict[str, tuple[bytes, dict[str, str]]]


class Buckets(RuleBasedStateMachine):
    """Two buckets, and what should be in them."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model: dict[str, Objects] = {"uploads": {}, "archive": {}}
        self.open()

    def open(self) -> None:
        self.engine = trunkline.open(self.folder / "data", durability="os")

    def teardown(self) -> None:
        self.engine.close()
        shutil.rmtree(self.folder)

    def bucket(self, name: str) -> trunkline.Bucket:
        return self.engine.bucket(name)

    @rule(name=BUCKETS, key=KEYS, content=CONTENTS, metadata=METADATA, is_file=st.booleans())
    def put(
        self, name: str, key: str, content: bytes, metadata: dict[str, str], is_file: bool
    ) -> None:
        data = io.BytesIO(content) if is_file else content
        stored = self.bucket(name).put(key, data, metadata=metadata)
        assert stored.size == len(content)
        self.model[name][key] = (content, metadata)

    @rule(name=BUCKETS, key=KEYS, content=CONTENTS)
    def put_if_absent(self, name: str, key: str, content: bytes) -> None:
        try:
            self.bucket(name).put(key, content, if_absent=True)
        except trunkline.PreconditionFailed:
            assert key in self.model[name]
        else:
            assert key not in self.model[name]
            self.model[name][key] = (content, {})

    @rule(name=BUCKETS, key=KEYS, start=st.integers(-30, 30), end=st.integers(-30, 30))
    def get(self, name: str, key: str, start: int, end: int) -> None:
        try:
            reader = self.bucket(name).get(key, range=(start, end))
        except trunkline.NoSuchKey:
            assert key not in self.model[name]
        else:
            content, metadata = self.model[name][key]
            assert (reader.bytes(), reader.metadata) == (content[start:end], metadata)

    @rule(name=BUCKETS, source=KEYS, to=BUCKETS, key=KEYS)
    def copy(self, name: str, source: str, to: str, key: str) -> None:
        try:
            self.bucket(name).copy(source, key, to=self.bucket(to))
        except trunkline.NoSuchKey:
            assert source not in self.model[name]
        else:
            self.model[to][key] = self.model[name][source]

    @rule(name=BUCKETS, key=KEYS)
    def delete(self, name: str, key: str) -> None:
        self.bucket(name).delete(key)
        self.model[name].pop(key, None)

    @rule(name=BUCKETS)
    def remove(self, name: str) -> None:
        try:
            self.bucket(name).remove()
        except trunkline.BucketNotEmpty:
            assert self.model[name]
        else:
            assert not self.model[name]

    @rule(name=BUCKETS, prefix=st.sampled_from(["", "a", "a/", "b", "x"]))
    def list_by_prefix(self, name: str, prefix: str) -> None:
        keys = sorted(self.model[name], key=str.encode)
        expected: list[str] = []
        for key in keys:
            if key.startswith(prefix):
                rest, slash, _ = key[len(prefix) :].partition("/")
                entry = prefix + rest + slash if slash else key
                if entry not in expected:
                    expected.append(entry)
        found = self.bucket(name).list(prefix, "/")
        assert [one if isinstance(one, str) else one.key for one in found] == expected

    @rule()
    def restart(self) -> None:
        self.engine.close()
        self.open()
        for name, objects in self.model.items():
            for key, (content, metadata) in objects.items():
                reader = self.bucket(name).get(key)
                assert (reader.bytes(), reader.metadata) == (content, metadata)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        for name, objects in getattr(self, "model", {}).items():
            entries = list(self.bucket(name).list())
            expected = sorted(objects, key=str.encode)
            assert [(one.key, one.size) for one in entries] == [
                (key, len(objects[key][0])) for key in expected
            ]
            assert self.bucket(name).statistics()["bytes"] == sum(one.size for one in entries)


TestBuckets = Buckets.TestCase
TestBuckets.settings = settings(stateful_step_count=25)
