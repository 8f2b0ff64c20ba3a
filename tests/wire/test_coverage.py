"""docs/coverage.md is what the registered operations are."""

from __future__ import annotations

import re

import pytest

from trunkline.aws.services import SERVICES

botocore = pytest.importorskip("botocore")
coverage = pytest.importorskip("tidy.coverage")


def test_the_page_is_up_to_date() -> None:
    told = coverage.PAGE.read_text(encoding="utf-8")
    found = re.search(r"botocore (\S+)\.\n", told)
    if found is None or found[1] != botocore.__version__:
        pytest.skip("the page was made with another botocore, whose models differ")
    assert told == coverage.page(), "run: make docs"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_only_operations_of_the_model_are_registered(service) -> None:
    assert coverage.states_of(service).keys() <= set(coverage.names_of(service))
