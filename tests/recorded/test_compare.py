"""The comparison itself: what counts as AWS's answer, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from .answers import parts
from .compare import Comparison
from .receive import receive
from .values import Filling, at, put

UUID = "0a1b2c3d-0000-1111-2222-333344445555"
OTHER = "9a1b2c3d-0000-1111-2222-333344445555"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("<uuid:1>", UUID),
        ("arn:<partition>:sns:<region>:1:<resource:1>", "arn:aws:sns:us-east-1:1:name"),
        ({"Body": {"a": [1]}}, {"Body": '{"a": [1]}'}),
        ('{"id":"<uuid:1>","time":"date"}', f'{{"time": "2026-01-01T00:00:00Z", "id": "{UUID}"}}'),
        ("datetime", datetime(2026, 1, 1, tzinfo=UTC)),
        ("timestamp", "1700000000000"),
        ("a word", "anything"),
        ("b'\\x02'", b"\x02"),
        (["<uuid:1>", "<uuid:1>", "<uuid:2>"], [UUID, UUID, OTHER]),
        ({"Tags": [{"K": "<x:1>"}, {"K": "b"}]}, {"Tags": [{"K": "b"}, {"K": "a"}]}),
        ("Command is <valid>!", "Command is <valid>!"),
        ("<<next-token>:1>", "abc"),
        (["<sequence-number:1>", "<sequence-number:2>"], ["7", "7"]),
        ({"_normalized": "a", "Message": "a\n at [Source: x"}, {"Message": "a\n at [Source: x"}),
        ("<uuid:1>", "0a1b2c3d"),
        ("at date, on a date-line", "at 2026-01-01T00:00:00Z, on a 2026-01-01T00:00:00Z-line"),
    ],
)
def test_equal(expected: object, actual: object) -> None:
    rules = Comparison(words=frozenset({"a word", "date"}), unordered=frozenset({"Tags"}))
    rules.own = {"1": "0a1b2c3d"}
    assert rules.differs("$", expected, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual", "text"),
    [
        ("<uuid:1>", "no-uuid", "$: <uuid:1> expected, got no-uuid"),
        (["<uuid:1>", "<uuid:1>"], [UUID, OTHER], f"$[1]: {UUID} expected, got {OTHER}"),
        (["<uuid:1>", "<uuid:2>"], [UUID, UUID], "a value that is new for <uuid:2>"),
        ({"a": 1}, {}, "$.a: 1 is missing"),
        ({}, {"a": 1}, "$.a: 1 is too much"),
        ([1], [1, 2], "$[1]: 2 is too much"),
        ([1, 2], [1], "$[1]: 2 is missing"),
        (True, 1, "$: true expected, got 1"),
        ("1", 1, "$: 1 expected, got 1"),
        ("datetime", "soon", "$: datetime expected, got soon"),
        ("a word", "", "$: a word expected"),
        ({"Tags": [1, 2]}, {"Tags": [2, 3]}, "$.Tags[0]: 1 expected, got 2"),
        ([1, 2], [2, 1], "$[0]: 1 expected, got 2"),
    ],
)
def test_different(expected: object, actual: object, text: str) -> None:
    rules = Comparison(words=frozenset({"a word", "date"}), unordered=frozenset({"Tags"}))
    assert text in str(rules.differs("$", expected, actual))


def test_a_failed_comparison_binds_nothing() -> None:
    rules = Comparison()
    assert rules.differs("$", ["<name:1>", 1], ["a", 2]) is not None
    assert rules.differs("$", "<name:1>", "b") is None


def test_calls_are_filled_in() -> None:
    calls = [{"params": {"at": {"$time": "2026-01-01T00:00:00+00:00"}}}]
    filling = Filling(calls, "http://here")
    filling.answers.append({"Arn": "arn:x", "List": [{"Body": '{"id": 7}'}]})
    account = filling.accounts["111111111111"]
    name = filling.fill("a-<uid:1>")
    assert name == filling.fill("a-<uid:1>") != filling.fill("a-<uid:2>")
    assert filling.fill("<repeat:ab*3>") == "<repeat:ab*3>"
    assert filling.fill("x<repeat:a*3>y") == "xaaay"
    assert filling.fill({"k": ["<<0:Arn>>/111111111111"]}) == {"k": [f"arn:x/{account}"]}
    assert filling.fill("<<0:List[0].Body.id>>") == 7
    assert filling.fill({"$bytes": "AgM="}) == b"\x02\x03"
    assert abs(filling.fill(calls[0]["params"]["at"]) - datetime.now(UTC)).total_seconds() < 60
    assert filling.plain(f"{name} in {account}") == "a-<uid:1> in 111111111111"


def test_parts_are_found_and_put() -> None:
    assert at("$.a[1].b", {"a": [0, '{"b": 2}']}) == 2
    assert put(put(None, "$[0]", "a"), "$[1]", "b") == ["a", "b"]
    assert put({"a": {"b": 1}}, "$.a.c[0]", 2) == {"a": {"b": 1, "c": [2]}}
    assert {"b": 1} in list(parts({"a": b'{"b": 1}'}))


def test_messages_are_received_until_there_are_enough() -> None:
    answers = iter([{"Messages": [1]}, {}, {"Messages": [2, 3]}])
    asked: list[dict[str, object]] = []

    def send(changes: dict[str, object]) -> dict[str, object]:
        asked.append(changes)
        return next(answers)

    assert receive(send, {}, 3, float("inf"))["Messages"] == [1, 2, 3]
    assert [changes["MaxNumberOfMessages"] for changes in asked] == [3, 2, 2]


def test_members_that_came_later_are_told_by_the_day_of_the_recording() -> None:
    answer = {"name": "a", "encryptionConfiguration": {}}
    old, new = Comparison(recorded="2023-03-04"), Comparison(recorded="2024-11-20")
    assert old.differs("key", {"name": "a"}, answer) is None
    assert new.differs("key", {"name": "a"}, answer) is not None
    assert old.differs("key", {"name": "a"}, {"name": "a", "other": 1}) is not None


def test_names_of_a_suite_are_placeholders_inside_of_text() -> None:
    rules = Comparison(words=frozenset({"alias_name"}))
    assert rules.differs("key", "arn:<ArnPart_0idx>:alias_name", "arn:orders:live") is None
    assert rules.bound == {"<ArnPart_0idx>": "orders"}
    assert rules.differs("key", "<ArnPart_0idx>", "others") is not None


def test_a_placeholder_may_have_digits_and_a_date_may_be_of_a_header():
    comparison = Comparison()
    arn, ours = "mapRun:<MapRunArnPart0_0idx>:<Part_Two1_0idx>", "mapRun:orders/one:two"
    assert comparison.differs("arn", arn, ours) is None
    assert comparison.differs("other", "<MapRunArnPart0_0idx>", "orders/two") is not None
    assert comparison.differs("Date", "date", ["Fri, 27 Nov 2026 02:20:02 GMT"]) is None
    assert comparison.differs("Date", "date", ["yesterday"]) is not None


def test_an_event_that_a_suite_lost_behind_the_branches_is_left_out() -> None:
    words = [{"id": [0], "previousEventId": 0, "type": "PassStateEntered"}]
    expected = [{"id": 1, "type": "ParallelStateStarted"}, *words, {"id": 4, "type": "Last"}]
    events = ["ParallelStateStarted", "PassStateEntered", "ParallelStateSucceeded", "Last"]

    def answer(kinds: list[str]) -> list[dict[str, object]]:
        told = [{"id": number, "type": kind} for number, kind in enumerate(kinds, 1)]
        told[1]["previousEventId"] = 1
        return told

    assert Comparison().differs("$", expected, answer(events)) is None
    events[2] = "PassStateExited"
    assert Comparison().differs("$", expected, answer(events)) is not None
    events[2:3] = ["ParallelStateSucceeded", "ParallelStateSucceeded"]
    assert Comparison().differs("$", expected, answer(events)) is not None
