"""Every example runs, and says what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
EXPECTED = {
    "http_orders.py": "the function got {'tea': 1}; it is answered 202\n"
    "after a restart, without a function: 202\n"
    "once it is there again, it got {'tea': 2}\n",
    "first.py": "hello in en\n0 left\n",
    "worker.py": "23 attempts; 1 dead letter\nbroken.png was delivered 3 times\n",
    "asyncio_bridge.py": "sum of the readings: 10\n",
    "card_fraud.py": "9 windows; watch 4000-17, 4000-42\n",
    "click_counts.py": "3 minutes with 23393 clicks\n",
    "sensor_alerts.py": "59 windows; hot: [17]\n",
    "clickstream.py": "20000 clicks on 4 pages, counted by both members\n",
    "parquet_export.py": "20000 records\nOslo: 4037 orders, 202866\nPune: 4029 orders, 200607\n"
    "Nice: 3974 orders, 199413\n",
    "time_travel.py": "delivered 2 times within 4200.0 seconds\n",
    "pipeline.py": "1 result: 3 APPLES\n",
    "order_saga.py": "tea: SUCCEEDED (charge, reserve, ship)\n"
    "coffee: FAILED Rejected (charge, reserve, ship, release, refund)\n"
    "yacht: FAILED ValueError (nothing)\n",
    "order_choreography.py": "tea: charge, reserve, ship, ask\n"
    "coffee: charge, reserve, ship, ask, release, refund\n"
    "yacht: charge\n",
    "routing.py": "invoice-17: billing, audit\nhello-1: audit\nnot for billing: customer.country\n",
}


def run(name: str, *arguments: str) -> str:
    process = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    return process.stdout.decode()


@pytest.mark.parametrize("name", EXPECTED)
def test_example(name: str) -> None:
    assert run(name) == EXPECTED[name]


@pytest.mark.parametrize("name", ["card_fraud.py", "click_counts.py", "sensor_alerts.py"])
def test_an_example_of_continuous_sql_draws_a_picture(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    run(name, "6000", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_saga_draws_the_way_of_the_order_that_was_undone(tmp_path: Path) -> None:
    run("order_saga.py", str(tmp_path / "saga.svg"))
    drawn = (tmp_path / "saga.svg").read_text(encoding="utf-8")
    for state, status in (
        ("Charge", "succeeded"),
        ("Approve", "caught"),
        ("Refund", "succeeded"),
        ("Cancelled", "failed"),
        ("Completed", "none"),
    ):
        assert f'data-state="{state}" data-status="{status}"' in drawn


def test_the_demonstration_loses_nothing() -> None:
    figures = run("demo.py")
    assert re.search(r"lost +0\n", figures)
    assert re.search(r"dead letters, repaired +7 ", figures)


def test_the_demonstration_of_events_verifies_all_it_claims() -> None:
    story = run("demo_events.py")
    assert re.search(r"replayed to it, and to it alone\n", story)
    assert story.endswith("no committed click comes twice; users in order\n")


def test_the_demonstration_of_files_starts_an_execution_for_each() -> None:
    pytest.importorskip("boto3")
    story = run("demo_files.py")
    assert re.search(r"menu.txt +3 lines\n", story)
    assert "3 executions, one a file" in story


def test_every_example_is_listed_and_tested() -> None:
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    listed = set(re.findall(r"`(\w+\.py)`", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    demonstrations = {"demo.py", "demo_events.py", "demo_files.py"}
    assert programs == listed == set(EXPECTED) | demonstrations
