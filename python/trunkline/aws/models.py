"""Where the service models come from: the package itself, or botocore's own files.

A wheel carries the models of the served services, so a server needs nothing else. A checkout does
not, and takes those of the installed botocore, without importing it.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from trunkline.aws.errors import ServiceError

SHIPPED = Path(__file__).parent / "_models"
"""What `build_tools/service_models.py` puts into a wheel."""


@cache
def data_folder() -> Path:
    """The folder of botocore's models; raises ServiceError if botocore is not installed."""
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            "ServiceUnavailable",
            "The models of the AWS services come with the wheel or with botocore: "
            "pip install 'trunkline[aws]'.",
            503,
        )
    return Path(spec.submodule_search_locations[0]) / "data"


_RELAXED = {"firehose": [(b'"pattern":"https://.*"', b'"pattern":"https?://.*"')]}
"""What models say that does not hold here: an endpoint on this machine has no certificate."""


def read_model(service: str) -> bytes:
    """The model of `service`, as JSON: the one of the package, else the newest one of botocore."""
    model = _read(service)
    for there, instead in _RELAXED.get(service, ()):
        model = model.replace(there, instead)
    return model


def _read(service: str) -> bytes:
    shipped = SHIPPED / f"{service}.json.gz"
    if shipped.is_file():
        return gzip.decompress(shipped.read_bytes())
    versions = sorted((data_folder() / service).glob("*/service-2.json*"))
    if not versions:
        raise ServiceError("ServiceUnavailable", f"botocore has no model of {service}.", 503)
    newest = versions[-1]
    data = newest.read_bytes()
    return gzip.decompress(data) if newest.suffix == ".gz" else data


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
