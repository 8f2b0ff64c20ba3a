"""Where the service models come from: the package itself, or botocore's own files.

A wheel carries the models of the served services, so a server needs nothing else. A checkout does
not, and takes those of the installed botocore, without importing it.
"""

from __future__ import annotations

import json
import os.path
import zlib
from functools import cache

from trunkline.aws.errors import ServiceError

SHIPPED = os.path.join(os.path.dirname(__file__), "_models")
"""What `build_tools/service_models.py` puts into a wheel."""

_GZIP = 16 + zlib.MAX_WBITS
"""What tells zlib that the data has the frame of gzip, whose module takes longer to import."""


@cache
def data_folder() -> str:
    """The folder of botocore's models; raises ServiceError if botocore is not installed."""
    from importlib.util import find_spec

    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            "ServiceUnavailable",
            "The models of the AWS services come with the wheel or with botocore: "
            "pip install 'trunkline[aws]'.",
            503,
        )
    return os.path.join(spec.submodule_search_locations[0], "data")


_RELAXED = {"firehose": [(b'"pattern":"https://.*"', b'"pattern":"https?://.*"')]}
"""What models say that does not hold here: an endpoint on this machine has no certificate."""


def read_model(service: str) -> bytes:
    """The model of `service`, as JSON: the one of the package, else the newest one of botocore."""
    model = _read(service)
    for there, instead in _RELAXED.get(service, ()):
        model = model.replace(there, instead)
    return model


def _read(service: str) -> bytes:
    shipped = os.path.join(SHIPPED, f"{service}.json.gz")
    if os.path.isfile(shipped):
        return _unpacked(shipped)
    versions = os.path.join(data_folder(), service)
    for version in sorted(os.listdir(versions) if os.path.isdir(versions) else (), reverse=True):
        for name in ("service-2.json.gz", "service-2.json"):
            model = os.path.join(versions, version, name)
            if os.path.isfile(model):
                return _unpacked(model)
    raise ServiceError("ServiceUnavailable", f"botocore has no model of {service}.", 503)


def _unpacked(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read()
    return zlib.decompress(data, _GZIP) if path.endswith(".gz") else data


def unconstrained(model: bytes, shapes: tuple[str, ...]) -> bytes:
    """A model whose shapes of these names take every value of their type."""
    if not shapes:
        return model
    read = json.loads(model)
    for name in shapes:
        shape = read["shapes"].get(name, {})
        for constraint in ("enum", "pattern", "min", "max"):
            shape.pop(constraint, None)
    return json.dumps(read).encode()
