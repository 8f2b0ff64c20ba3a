"""The vectors of mapping templates."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from trunkline.aws.vtl import TemplateError, render

FOLDER = Path(__file__).parents[2] / "vectors" / "templates"
CASES = [
    case
    for file in sorted(FOLDER.glob("*.toml"))
    for case in tomllib.loads(file.read_text())["case"]
]
INPUTS = ("body", "params", "context", "stage_variables")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    inputs = {name: case[name] for name in INPUTS if name in case}
    before = json.dumps(inputs)
    if "error" in case or "error_starts" in case:
        with pytest.raises(TemplateError) as refused:
            render(case["template"], **inputs)
        assert str(refused.value).startswith(case.get("error_starts", case.get("error")))
        assert "error" not in case or str(refused.value) == case["error"]
        return
    rendered = render(case["template"], **inputs)
    if "json" in case:
        assert json.loads(rendered.text) == json.loads(case["json"])
    else:
        assert rendered.text == case["renders"]
    for name in ("request_override", "response_override"):
        if name in case:
            assert getattr(rendered, name) == case[name]
    assert json.dumps(inputs) == before


def test_names_are_unique() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names))
