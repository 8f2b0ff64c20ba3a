"""docs/coverage.md is what the registered operations are."""

from __future__ import annotations

import json
import re

import pytest

from trunkline.aws.models import read_model
from trunkline.aws.operation import snake_case
from trunkline.aws.services import SERVICES

botocore = pytest.importorskip("botocore")
coverage = pytest.importorskip("tidy.coverage")
pytestmark = [
    pytest.mark.botocore_knows("kinesis", "CreateChannel"),
    pytest.mark.botocore_knows("lambda", "GetFunctionRecursionConfig"),
]


def test_the_page_is_up_to_date() -> None:
    told = coverage.PAGE.read_text(encoding="utf-8")
    found = re.search(r"botocore (\S+)\.\n", told)
    if found is None or found[1] != botocore.__version__:
        pytest.skip("the page was made with another botocore, whose models differ")
    assert told == coverage.page(), "run: make docs"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_only_operations_of_the_model_are_registered(service) -> None:
    assert coverage.states_of(service).keys() <= set(coverage.names_of(service))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_operations_take_what_their_model_names(service) -> None:
    model = json.loads(read_model(service.name))
    for name, operation in service.operations().items():
        shape = model["operations"][name].get("input", {}).get("shape")
        members = model["shapes"][shape].get("members", {}) if shape else {}
        unknown = operation.unknown({snake_case(member): None for member in members})
        # Roles are kept for other services' sake: what only sign-ins use is refused by name.
        assert unknown in (None, "max_signin_session_duration"), f"{name}: {unknown}"
