"""Results of map runs: gathered for the output of the state, or written to a bucket."""

from __future__ import annotations

import json

from trunkline._core import Buckets
from trunkline.machines.map_runs.request import MapRunFailed, arguments_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Bucket
    from trunkline._core import Engine as CoreEngine
    from trunkline.machines.map_runs.children import Child
    from trunkline.machines.task import Owner

WRITER_FAILED = "States.ResultWriterFailed"
TOO_LARGE = "States.DataLimitExceeded"

PAYLOAD_BYTES_MAX = 256 * 1024
"""Bytes of the output of a state, as on AWS."""


def results_of(
    core: CoreEngine, owner: Owner, told: dict[str, Any], kept: dict[str, Any]
) -> Gathered | Written:
    """What takes the results of a map run; `kept` is what it said of itself at the checkpoint."""
    writer = told["writer"]
    if writer is not None and writer.get("Resource"):
        return Written(core, owner, told, kept)
    return Gathered(told, kept)


class Shape:
    """How results are written: ``WriterConfig``."""

    def __init__(self, writer: dict[str, Any] | None) -> None:
        config = (writer or {}).get("WriterConfig") or {}
        # Without a writer the output of the state is that of its children.
        plain = "COMPACT" if writer is None else "NONE"
        self.transformation: str = str(config.get("Transformation", plain))
        self.is_lines: bool = config.get("OutputType") == "JSONL"

    def texts(self, child: Child) -> list[str]:
        """The results of a child as JSON texts."""
        if self.transformation == "NONE" or child.output is None:
            return [text_of(child.described())]
        if self.transformation == "FLATTEN":
            found = json.loads(child.output)
            if isinstance(found, list):
                return [text_of(one) for one in found]
        return [child.output]

    def join(self, texts: list[str]) -> str:
        """The content of a file."""
        return "\n".join(texts) if self.is_lines else f"[{','.join(texts)}]"


class Gathered:
    """Results that are the output of the Map state."""

    def __init__(self, told: dict[str, Any], kept: dict[str, Any]) -> None:
        self._shape = Shape(told["writer"])
        found = kept.get("outputs", {})
        self._texts: dict[int, list[str]] = {int(index): texts for index, texts in found.items()}
        self._bytes = sum(len(text.encode()) for texts in found.values() for text in texts)
        self._is_too_large = bool(kept.get("is_too_large"))

    def add(self, index: int, child: Child) -> None:
        """Takes the result of a child. Of failed ones nothing is in the output."""
        if child.status != "SUCCEEDED" or self._is_too_large:
            return
        texts = self._shape.texts(child)
        self._texts[index] = texts
        self._bytes += sum(len(text.encode()) + 1 for text in texts)
        if self._bytes > PAYLOAD_BYTES_MAX + 1:
            # More than any state may put out: nothing of it is needed any more.
            self._is_too_large = True
            self._texts.clear()

    def keep(self) -> dict[str, Any]:
        """What is to be kept of the results at a checkpoint."""
        return {"outputs": dict(self._texts), "is_too_large": self._is_too_large}

    def finish(self, succeeded: bool) -> str:
        """The output of the state."""
        if self._is_too_large and succeeded:
            cause = (
                "The results of the map run have a size exceeding the maximum number of bytes "
                "service limit. Name a ResultWriter, which writes them to a bucket."
            )
            raise MapRunFailed(TOO_LARGE, cause)
        texts = [text for index in sorted(self._texts) for text in self._texts[index]]
        return f"[{','.join(texts)}]"


class Written:
    """Results in objects of a bucket, with a manifest that names them."""

    def __init__(
        self, core: CoreEngine, owner: Owner, told: dict[str, Any], kept: dict[str, Any]
    ) -> None:
        given = arguments_of(told["writer"])
        self._core = core
        self._owner = owner
        self._arn = str(told["arn"])
        self._name = str(given.get("Bucket", ""))
        prefix = str(given.get("Prefix") or "").strip("/")
        run = self._arn.rpartition(":")[2]
        self._folder = f"{prefix}/{run}" if prefix else run
        self._shape = Shape(told["writer"])
        self._files: dict[str, list[dict[str, Any]]] = kept.get("files") or {
            "FAILED": [],
            "PENDING": [],
            "SUCCEEDED": [],
        }
        self._texts: dict[str, list[str]] = {"SUCCEEDED": [], "FAILED": []}

    def add(self, index: int, child: Child) -> None:
        """Takes the result of a child."""
        kind = "SUCCEEDED" if child.status == "SUCCEEDED" else "FAILED"
        self._texts[kind] += self._shape.texts(child)

    def keep(self) -> dict[str, Any]:
        """Writes what came since the last checkpoint, and says which files there are."""
        for kind, texts in self._texts.items():
            if texts:
                key = f"{self._folder}/{kind}_{len(self._files[kind])}.json"
                size = self._put(key, self._shape.join(texts))
                self._files[kind].append({"Key": key, "Size": size})
                texts.clear()
        return {"files": self._files}

    def finish(self, succeeded: bool) -> str:
        """Writes the manifest; the output of the state names it."""
        self.keep()
        key = f"{self._folder}/manifest.json"
        manifest = {
            "DestinationBucket": self._name,
            "MapRunArn": self._arn,
            "ResultFiles": self._files,
        }
        self._put(key, text_of(manifest))
        where = {"Bucket": self._name, "Key": key}
        return text_of({"MapRunArn": self._arn, "ResultWriterDetails": where})

    def _bucket(self) -> Bucket:
        found = Buckets(self._core).find(self._name)
        if found is None:
            raise MapRunFailed(WRITER_FAILED, f"The bucket {self._name} does not exist.")
        if found.account != self._owner.account:
            text = f"Access to bucket {self._name} is denied: it is of another account."
            raise MapRunFailed(WRITER_FAILED, text)
        return found

    def _put(self, key: str, text: str) -> int:
        bucket, data = self._bucket(), text.encode()
        writer = bucket.writer()
        try:
            writer.write(data)
            bucket.put(key, writer, [("content-type", "application/json")], [], False, None)
        finally:
            writer.discard()
        return len(data)
