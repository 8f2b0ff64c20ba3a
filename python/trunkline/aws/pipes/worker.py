"""One pipe that runs: gathers batches, filters, enriches, sends, and settles them at the source."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress

from trunkline._dataclasses import replace
from trunkline.aws.calls import Failed
from trunkline.aws.pipes.documents import name_of
from trunkline.aws.pipes.filters import Filters
from trunkline.aws.pipes.sources import source_of
from trunkline.aws.pipes.targets import Target
from trunkline.aws.pipes.templates import Context
from trunkline.errors import EngineUnavailable, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.pipes.sqs_source import SqsSource
    from trunkline.aws.pipes.stream_source import StreamSource
    from trunkline.aws.store import Store

    Record = dict[str, Any]
    Failures = dict[int, str]

PAUSE_SECONDS = 0.1
"""How long a worker pauses when the engine refuses: a full disk, for example."""

_FAILED = {"CREATING": "CREATE_FAILED", "UPDATING": "UPDATE_FAILED"}


class Worker:
    """Runs one revision of a pipe, until it is stopped."""

    def __init__(self, store: Store, invoker: ServiceInvoker, document: dict[str, Any]) -> None:
        self._pipe = name_of(document)
        self.key: str = self._pipe.key
        self.revision: Any = document["revision"]
        self._store = store
        self._definition = definition = document["definition"]
        names = {
            "aws.pipes.pipe-arn": self._pipe.arn,
            "aws.pipes.pipe-name": self._pipe.name,
            "aws.pipes.source-arn": definition["Source"],
            "aws.pipes.target-arn": definition["Target"],
            "aws.pipes.enrichment-arn": definition.get("Enrichment", ""),
        }
        context = Context(names, store.now)
        self._filters = Filters(definition["SourceParameters"].get("FilterCriteria", {}))
        self._target = Target(store, invoker, self._pipe, definition, context)
        self._enrichment = replace(self._target, role="Enrichment")
        self.source: SqsSource | StreamSource = source_of(store, invoker, self._pipe, definition)
        self._stop = asyncio.Event()
        self._waiting: asyncio.Task[list[Record]] | None = None

    def stop(self) -> None:
        """Has the worker end; called in its event loop."""
        self._stop.set()
        if self._waiting is not None:
            self._waiting.cancel()

    async def run(self) -> None:
        """Works until the pipe is stopped, changed or removed, or its source has gone."""
        try:
            try:
                await asyncio.to_thread(self._open)
                while not self._stop.is_set():
                    await self._turn()
            except Failed as failed:
                self._settle("FAILED", failed.message)
            except EngineUnavailable:
                raise
            except TrunklineError as error:
                self._settle("FAILED", str(error))
            finally:
                self.source.close()
            self._settle_stopped()
        except EngineUnavailable:
            # The engine was closed. What was not deleted from the source is there when it opens.
            return

    async def _turn(self) -> None:
        """One batch; none if nothing came for a while."""
        self._waiting = asyncio.ensure_future(self.source.gather())
        try:
            batch = await self._waiting
        except asyncio.CancelledError:
            if self._stop.is_set():
                return
            raise
        except (Failed, TrunklineError) as error:
            self._store.core.check_open()
            if isinstance(error, Failed) and error.is_final:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
            return
        finally:
            self._waiting = None
        if not batch:
            return
        if not await asyncio.to_thread(self._is_current):
            # Another process or dispatcher stopped the pipe, or changed it.
            await asyncio.to_thread(self.source.release, batch)
            self._stop.set()
            return
        try:
            await self.source.handle(batch, self._filters, self._send, self._stop)
        except EngineUnavailable:
            raise
        except Exception:
            self._store.core.check_open()
            logging.getLogger("trunkline").exception("pipe %s: a batch failed", self._pipe.name)
            await asyncio.sleep(PAUSE_SECONDS)

    def _send(self, records: Sequence[Record]) -> Failures:
        """Enriches records and sends them; tells which of them the target lacks, and why."""
        if "Enrichment" not in self._definition:
            failures = self._target.send(records, one_by_one=self.source.is_ordered)
        else:
            failures = self._send_enriched(records)
        for why in failures.values():
            logging.getLogger("trunkline").warning("pipe %s: %s", self._pipe.name, why)
        return failures

    def _send_enriched(self, records: Sequence[Record]) -> Failures:
        """As many items as the enrichment returns; if one fails, all records come again."""
        try:
            items = _items(self._enrichment.invoke(records))
        except Failed as failed:
            return dict.fromkeys(range(len(records)), str(failed))
        failures = self._target.send(items, one_by_one=self.source.is_ordered) if items else {}
        if not failures:
            return {}
        return dict.fromkeys(range(len(records)), next(iter(failures.values())))

    def _open(self) -> None:
        self.source.open()
        self._settle("RUNNING")

    def _is_current(self) -> bool:
        document = self._store.get(self.key)
        return document is not None and document["revision"] == self.revision

    def _settle(self, state: str, reason: str | None = None) -> None:
        """Keeps the state of the pipe, unless it was changed meanwhile."""
        with self._store.lock:
            document = self._store.get(self.key)
            if document is None or document["revision"] != self.revision:
                return
            if state == "FAILED":
                state = _FAILED.get(document["current"], "START_FAILED")
            self._store.put(self.key, {**document, "current": state, "reason": reason})

    def _settle_stopped(self) -> None:
        with self._store.lock, suppress(EngineUnavailable):
            document = self._store.get(self.key)
            if document is not None and document["current"] == "STOPPING":
                self._store.put(self.key, {**document, "current": "STOPPED"})


def _items(told: str) -> list[Any]:
    """What an enrichment returned. Nothing, and what is empty, ends the batch without a call."""
    if not told.strip():
        return []
    try:
        value = json.loads(told)
    except (ValueError, RecursionError):
        value = told
    if value in ("", {}, [], None):
        return []
    return value if isinstance(value, list) else [value]
