"""The C ABI as the tests call it: through cffi, with the words of the header."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from trunkline import capi

ffi, lib = capi.load()

SECOND = 1_000
WRONG_ADDRESS = 0x7EADBEE8

# cffi frees what no Python object holds, also while a struct points to it.
_alive: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()


class Failed(Exception):
    """A call that did not return TRUNKLINE_OK."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.code = text(lib.trunkline_last_error_code())
        self.message = text(lib.trunkline_last_error_message())
        super().__init__(f"{self.code}: {self.message}")


def check(status: int) -> None:
    """Raise what a status says; the last error has to say the same."""
    if status != lib.TRUNKLINE_OK:
        failed = Failed(status)
        assert text(lib.trunkline_status_name(status)) == failed.code
        raise failed


def text(pointer: Any) -> str | None:
    """A text of C; None for NULL."""
    return None if pointer == ffi.NULL else ffi.string(pointer).decode()


def struct(name: str, **fields: Any) -> Any:
    """A struct as its INIT macro sets it, with some fields changed."""
    made = ffi.new(f"trunkline_{name} *")
    made.size = ffi.sizeof(f"trunkline_{name}")
    for field, kind in ffi.typeof(f"trunkline_{name}").fields:
        if field != "size" and kind.type.cname == "int64_t":
            setattr(made, field, lib.TRUNKLINE_UNSET)
    kept = []
    for field, value in fields.items():
        if isinstance(value, str):
            value = ffi.new("char[]", value.encode())
            kept.append(value)
        setattr(made, field, value)
    _alive[made] = kept
    return made


@contextmanager
def engine(path: str | None = None, durability: int = -1, **options: Any) -> Iterator[Any]:
    """An open engine."""
    handle = ffi.new("trunkline_engine **")
    where = ffi.NULL if path is None else path.encode()
    check(lib.trunkline_open(where, durability, struct("open_options", **options), handle))
    try:
        yield handle[0]
    finally:
        check(lib.trunkline_close(handle[0]))


def queue(engine: Any, name: str, **options: Any) -> Any:
    """A handle of a new queue, never given back: the table of handles holds a million."""
    handle = ffi.new("trunkline_queue **")
    given = struct("queue_options", **options)
    check(lib.trunkline_queue_create(engine, name.encode(), given, handle))
    return handle[0]


def find(engine: Any, name: str) -> Any:
    """A handle of a queue that exists."""
    handle = ffi.new("trunkline_queue **")
    check(lib.trunkline_queue_find(engine, name.encode(), handle))
    return handle[0]


def send(queue: Any, body: bytes, **options: Any) -> Any:
    """What came back from sending `body`."""
    sent = struct("sent")
    given = struct("send_options", **options)
    check(lib.trunkline_send(queue, body, len(body), given, sent))
    return sent


def receive(queue: Any, **options: Any) -> list[dict[str, Any]]:
    """The messages of one receive, copied."""
    messages = ffi.new("trunkline_messages *")
    check(lib.trunkline_receive(queue, struct("receive_options", **options), messages))
    found = [_copy(messages.items[place]) for place in range(messages.count)]
    lib.trunkline_messages_free(messages)
    assert messages.count == 0
    assert messages.items == ffi.NULL
    return found


def statistics(queue: Any) -> dict[str, int]:
    """The counters of a queue by name."""
    counted = struct("statistics")
    check(lib.trunkline_get_statistics(queue, counted))
    return {name: getattr(counted, name) for name, _ in ffi.typeof("trunkline_statistics").fields}


def _copy(message: Any) -> dict[str, Any]:
    copied: dict[str, Any] = {}
    for field, kind in ffi.typeof("trunkline_message").fields:
        value = getattr(message, field)
        copied[field] = text(value) if kind.type.cname == "char *" else value
    copied["body"] = bytes(ffi.buffer(message.body, message.body_length))
    listed = [message.attributes[place] for place in range(message.attribute_count)]
    copied["attributes"] = {
        text(one.name): (text(one.data_type), bytes(ffi.buffer(one.value, one.value_length)))
        for one in listed
    }
    return copied
