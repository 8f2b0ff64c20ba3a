"""The models that a wheel carries say what botocore's say, without the words for people."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from trunkline.aws.models import data_folder
from trunkline.aws.services import SERVICES

from . import tree

pytest.importorskip("botocore")


@pytest.fixture(scope="module")
def tool() -> Any:
    path = tree.ROOT / "build_tools" / "service_models.py"
    spec = importlib.util.spec_from_file_location("service_models", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_served_service_is_found_in_the_table(tool: Any) -> None:
    assert tool.served() == [service.name for service in SERVICES]


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_a_slim_model_has_every_operation_shape_and_member(tool: Any, service: str) -> None:
    newest = sorted((Path(data_folder()) / service).glob("*/service-2.json*"))[-1]
    data = newest.read_bytes()
    whole = json.loads(gzip.decompress(data) if newest.suffix == ".gz" else data)
    slim = tool.slim(whole)
    assert slim["metadata"] == whole["metadata"]
    assert list(slim["operations"]) == list(whole["operations"])
    assert list(slim["shapes"]) == list(whole["shapes"])
    for name, shape in whole["shapes"].items():
        for part in ("members", "required", "enum", "errors"):
            assert list(slim["shapes"][name].get(part, ())) == list(shape.get(part, ())), name
    assert "documentationUrl" not in json.dumps(slim)
