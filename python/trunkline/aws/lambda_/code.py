"""Archives of code: kept in pieces, checked, and unpacked for the processes that run them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import struct
import zipfile
from pathlib import Path

from trunkline.aws.lambda_.code_source import UNPACKED_BYTES_MAX, archive_of
from trunkline.aws.lambda_.documents import PREFIX
from trunkline.aws.lambda_.errors import invalid, missing
from trunkline.aws.limits import CODE_PIECE_BYTES
from trunkline.functions.definition import MEMORY_MB_DEFAULT
from trunkline.functions.process.environment import Code
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store

LAYERS = "lambda/layers/"
"""Where the documents of layers are."""

_IS_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_allowed(call: Call) -> None:
    """Raises unless code that comes over the wire may run here."""
    if not functions_of(call.store.core).allows_code:
        raise invalid(
            "The code of functions is not run here, because it would run with the rights of the "
            "server. Start the server with --allow-code, or register functions of a program with "
            "--functions."
        )


def put(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps the code of a request; returns its digest and size."""
    check_allowed(call)
    data = archive_of(call, given)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            is_plain = all(_is_plain(entry) for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error):
        is_plain = False
    if not is_plain:
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        )
    if size > UNPACKED_BYTES_MAX:
        raise invalid(f"Unzipped size must be smaller than {UNPACKED_BYTES_MAX} bytes")
    sha = base64.b64encode(hashlib.sha256(data).digest()).decode()
    prefix = _prefix(sha)
    if call.store.get(f"{prefix}{0:05}") is None:
        # The first piece says that the archive is whole, so it is written last.
        for number in reversed(range(-(-len(data) // CODE_PIECE_BYTES))):
            start = number * CODE_PIECE_BYTES
            piece = base64.b64encode(data[start : start + CODE_PIECE_BYTES]).decode()
            call.store.put(f"{prefix}{number:05}", {"piece": piece})
    return {"Sha256": sha, "Size": len(data)}


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    """Whether the file can be read without a password, and unpacked in bounded memory."""
    return not entry.flag_bits & _IS_ENCRYPTED and entry.compress_type in _METHODS


def read(store: Store, sha: str) -> bytes:
    """The archive of a digest."""
    parts, after = [], None
    while True:
        found, after = store.page(_prefix(sha), after=after, limit=100)
        parts += [base64.b64decode(one["piece"]) for one in found]
        if after is None:
            return b"".join(parts)


def forget(store: Store, sha: str) -> None:
    """Removes an archive."""
    # The first piece goes first: what is left after a crash is then no whole archive.
    number = 0
    while number == 0 or store.get(f"{_prefix(sha)}{number:05}") is not None:
        store.put(f"{_prefix(sha)}{number:05}", None)
        number += 1


def forget_unused(store: Store, shas: set[str]) -> None:
    """Removes those of some archives that no function and no layer names any more."""
    left = shas - {""}
    for document in store.every(PREFIX):
        left -= archives_of(document)
    if left:
        left -= {layer["code"]["Sha256"] for layer in store.every(LAYERS)}
    for sha in left:
        forget(store, sha)


def archives_of(document: dict[str, Any]) -> set[str]:
    """The digests of the archives that a function names."""
    kept = (document["latest"], *document["versions"].values())
    return {one["code"]["Sha256"] for one in kept}


def _prefix(sha: str) -> str:
    try:
        return f"lambda/code/{base64.b64decode(sha).hex()}/"
    except binascii.Error:
        raise missing(f"Code not found: {sha}") from None


def unpack(store: Store, sha: str, folder: Path) -> None:
    """Puts the files of an archive into a folder, and nothing outside of it."""
    with zipfile.ZipFile(io.BytesIO(read(store, sha))) as archive:
        left = UNPACKED_BYTES_MAX
        for entry in archive.infolist():
            left -= entry.file_size
            if left < 0:
                raise OSError("the code is larger than its archive says")
            # It leaves out what leads outside: drives, roots and "..".
            path = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16
            if path.is_file():
                path.chmod(0o755 if mode & 0o111 else 0o644)


def process_code(store: Store, kept: dict[str, Any], folder: Path) -> Code:
    """Unpacks a version of a function with its layers."""
    task, config = folder / "task", kept["config"]
    task.mkdir()
    unpack(store, kept["code"]["Sha256"], task)
    layers = []
    for number, arn in enumerate(config.get("Layers", ())):
        layer = store.get(layer_key(arn))
        if layer is None:
            continue
        target = folder / f"layer{number}"
        target.mkdir()
        unpack(store, layer["code"]["Sha256"], target)
        layers.append(target)
    endpoint = functions_of(store.core).endpoint
    # Code that was written for AWS makes its clients without an address.
    own = {} if endpoint is None else {"AWS_ENDPOINT_URL": endpoint}
    logs = config.get("LoggingConfig", {})
    if logs.get("LogFormat") == "JSON":
        # Runtimes read these, and write what goes through the logger of their language so.
        own |= {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
        own |= {"AWS_LAMBDA_LOG_LEVEL": logs.get("ApplicationLogLevel", "INFO")}
    return Code(
        folder=task,
        runtime=config.get("Runtime", "provided"),
        handler=config.get("Handler", ""),
        memory=config.get("MemorySize", MEMORY_MB_DEFAULT),
        variables={**own, **config.get("Environment", {}).get("Variables", {})},
        layers=tuple(layers),
    )


def layer_key(arn: str) -> str:
    """The key of a layer version's document."""
    _, _, _, region, account, _, name, version = arn.split(":")
    return f"{LAYERS}{region}/{account}/{name}/{int(version):08}"
