"""``trunkline.toml``: the resources, the limits and the server of a project, in one file.

.. code-block:: toml

    [engine]
    data = "data"                # a folder beside the file; in memory without it

    [limits]
    message_bytes_max = 16_000_000

    [[queue]]
    name = "orders"
    visibility_timeout = 60
    dead_letter = "dead"         # a queue of the file may come later in it
    max_receive_count = 5

    [[queue]]
    name = "dead"

    [[topic]]
    name = "news"
    subscriptions = [{ queue = "orders", raw = true }]
"""

from __future__ import annotations

import os
from pathlib import Path

from trunkline.errors import InvalidParameterValue, TrunklineError
from trunkline.limits import Limits
from trunkline.validation import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import VirtualClock
    from trunkline._types import Durability, TraceMode
    from trunkline._types import Path as AnyPath
    from trunkline.engine import Engine

_RESOURCES = ("queue", "stream", "topic", "bus", "bucket", "machine")
_TABLES = ("engine", "limits", "server")
_ENGINE: dict[str, tuple[type, ...]] = {
    "data": (str,),
    "durability": (str,),
    "durable_receives": (bool,),
    "seed": (int,),
    "trace": (str, int, float),
}


class Config:
    """What a configuration file says; checked as far as that needs no engine."""

    def __init__(self, told: Mapping[str, Any], folder: Path, source: str) -> None:
        self._source = source
        for name in told:
            if name not in (*_TABLES, *_RESOURCES):
                raise self.wrong(f"there is no table {unknown(name, [*_TABLES, *_RESOURCES])}")
        for name in _TABLES:
            if not isinstance(told.get(name, {}), dict):
                raise self.wrong(f"{name} must be a table, [{name}]")
        for kind in _RESOURCES:
            listed = told.get(kind, [])
            if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
                raise self.wrong(f"{kind} must be an array of tables, [[{kind}]]")
            for number, one in enumerate(listed, 1):
                if not isinstance(one.get("name"), str):
                    raise self.wrong(f"[[{kind}]] number {number} has no name")
        self.engine: dict[str, Any] = dict(told.get("engine", {}))
        for name, value in self.engine.items():
            if name not in _ENGINE:
                raise self.wrong(f"[engine] has no {unknown(name, list(_ENGINE))}")
            # The types of TOML are exact: a bool, which Python takes for an int, is none.
            if type(value) not in _ENGINE[name]:
                names = " or ".join(one.__name__ for one in _ENGINE[name])
                raise self.wrong(f"[engine] {name} must be {names}, not {type(value).__name__}")
        if "data" in self.engine:
            # A relative path is meant from the file, wherever the program is started.
            self.engine["data"] = str(folder / os.path.expanduser(self.engine["data"]))
        self.server: dict[str, Any] = dict(told.get("server", {}))
        self._limits = dict(told.get("limits", {}))
        self._resources = {kind: told.get(kind, []) for kind in _RESOURCES}
        self._folder = folder

    @classmethod
    def read(cls, path: AnyPath) -> Config:
        """Reads a file; raises InvalidParameterValue, which names the place, if it is wrong."""
        import tomllib

        file = Path(os.fsdecode(path))
        try:
            told = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise InvalidParameterValue(f"{file} cannot be read: {why}.") from error
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InvalidParameterValue(f"{file} is not TOML: {error}.") from error
        return cls(told, file.absolute().parent, str(file))

    def wrong(self, why: str) -> InvalidParameterValue:
        """The error that says what is wrong in this file."""
        end = "" if why.endswith("?") else "."
        return InvalidParameterValue(f"{self._source}: {why.rstrip('.')}{end}")

    def limits(self) -> Limits | None:
        """The limits of the file; None if it has none."""
        if not self._limits:
            return None
        try:
            return Limits(**self._limits)
        except (TypeError, ValueError) as error:
            raise self.wrong(f"[limits]: {error}") from error

    def open(
        self,
        path: AnyPath | None,
        durability: Durability | None,
        durable_receives: bool,
        clock: VirtualClock | None,
        seed: int | None,
        read_only: bool,
        limits: Limits | None,
        trace: TraceMode,
    ) -> Engine:
        """Opens the engine of the file; arguments that are given win over it."""
        import trunkline

        told = self.engine
        engine = trunkline.open(
            told.get("data") if path is None else path,
            durability=durability or told.get("durability"),
            durable_receives=durable_receives or told.get("durable_receives", False),
            clock=clock,
            seed=told.get("seed") if seed is None else seed,
            read_only=read_only,
            limits=limits or self.limits(),
            trace=told.get("trace", "off") if trace == "off" else trace,
        )
        try:
            if not read_only:
                self.declare(engine)
        except BaseException:
            engine.close()
            raise
        return engine

    def declare(self, engine: Engine) -> None:
        """Creates the resources of the file; what is there already has to be as the file says."""
        for kind, listed in self._resources.items():
            # Queues of dead letters come before those that name them.
            ordered = sorted(listed, key=lambda one: "dead_letter" in one)
            for one in ordered:
                options = {name: value for name, value in one.items() if name != "name"}
                try:
                    getattr(self, f"_{kind}")(engine, one["name"], options)
                except KeyError as error:
                    raise self.wrong(f"[[{kind}]] {one['name']!r} lacks {error}") from error
                except (TypeError, ValueError, OSError, TrunklineError) as error:
                    raise self.wrong(f"[[{kind}]] {one['name']!r}: {error}") from error

    def _queue(self, engine: Engine, name: str, options: dict[str, Any]) -> None:
        engine.queue(name, **options)

    def _stream(self, engine: Engine, name: str, options: dict[str, Any]) -> None:
        engine.stream(name, **options)

    def _bucket(self, engine: Engine, name: str, options: dict[str, Any]) -> None:
        versioned = options.pop("versioned", None)
        bucket = engine.bucket(name, **options)
        if versioned is not None and versioned != bucket.versioned:
            bucket.configure(versioned=versioned)

    def _topic(self, engine: Engine, name: str, options: dict[str, Any]) -> None:
        wanted = options.pop("subscriptions", [])
        topic = engine.topic(name, **options)
        subscribed = {getattr(one.target, "name", None) for one in topic.subscriptions()}
        for one in wanted:
            subscription = {"queue": one} if isinstance(one, str) else dict(one)
            target = engine.queue(subscription.pop("queue"), create=False)
            if target.name not in subscribed:
                topic.subscribe(target, **subscription)

    def _bus(self, engine: Engine, name: str, options: dict[str, Any]) -> None:
        rules = options.pop("rules", [])
        bus = engine.bus(name, **options)
        for one in rules:
            rule = dict(one)
            queues = [engine.queue(queue, create=False) for queue in rule.pop("queues", [])]
            if not queues:
                raise self.wrong(f"the rule {one.get('name')!r} of the bus {name!r} has no queues")
            made = bus.rule(rule.pop("name"), rule.pop("pattern"), queues[0], **rule)
            for queue in queues[1:]:
                made.add_target(queue, id=queue.name)

    def _machine(self, engine: Engine, name: str, options: dict[str, Any]) -> None:
        file = options.pop("definition")
        text = (self._folder / file).read_text(encoding="utf-8")
        engine.machine(name, text, **options)
