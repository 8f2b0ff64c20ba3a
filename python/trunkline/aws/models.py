"""Where the service models come from: botocore's own files, read without importing botocore."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from trunkline.aws.errors import ServiceError


@cache
def data_folder() -> Path:
    """The folder of botocore's models; raises ServiceError if botocore is not installed."""
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            "ServiceUnavailable",
            "The models of the AWS services come with botocore: pip install 'trunkline[aws]'.",
            503,
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def read_model(service: str) -> bytes:
    """The newest model of `service`, as JSON."""
    versions = sorted((data_folder() / service).glob("*/service-2.json*"))
    if not versions:
        raise ServiceError("ServiceUnavailable", f"botocore has no model of {service}.", 503)
    newest = versions[-1]
    data = newest.read_bytes()
    return gzip.decompress(data) if newest.suffix == ".gz" else data
