"""The public API of trunkline.patterns: accepted input, results, errors."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time

import pytest

import trunkline
from trunkline import patterns
from waiting import until

RUNNING = {"detail": {"state": ["running"]}}


@pytest.mark.parametrize(
    "given",
    [
        '{"detail": {"state": "running"}}',
        b'{"detail": {"state": "running"}}',
        bytearray(b'{"detail": {"state": "running"}}'),
        memoryview(b'{"detail": {"state": "running"}}'),
        {"detail": {"state": "running"}},
    ],
)
def test_an_event_is_bytes_text_or_dict(given):
    pattern = patterns.compile(RUNNING)
    rules = patterns.RuleSet()
    rules.add("on", pattern)
    assert pattern.matches(given) is True
    assert patterns.matches(RUNNING, given) is True
    assert rules.match(given) == ["on"]
    assert rules.match_many([given, {"detail": {}}]) == [["on"], []]
    assert pattern.explain(given).matched


@pytest.mark.parametrize("given", [RUNNING, '{"detail": {"state": ["running"]}}'])
def test_a_pattern_is_dict_text_bytes_or_a_pattern(given):
    once = patterns.compile(given)
    assert patterns.compile(once) is once
    assert once.scope == "Event"
    if isinstance(given, str):
        assert patterns.compile(given.encode()).matches({"detail": {"state": "running"}})


@pytest.mark.parametrize("given", [None, 7, ["x"], ("a", "b"), object()])
def test_anything_else_is_a_type_error(given):
    pattern = patterns.compile(RUNNING)
    rules = patterns.RuleSet()
    with pytest.raises(TypeError, match="an event must be bytes, str or dict, not"):
        pattern.matches(given)
    with pytest.raises(TypeError, match="an event must be bytes, str or dict, not"):
        rules.match_many([given])
    with pytest.raises(TypeError, match="a pattern must be a Pattern, dict, str or bytes, not"):
        patterns.compile(given)
    with pytest.raises(TypeError, match="a pattern must be a Pattern, dict, str or bytes, not"):
        rules.add("r", given)


def test_a_pattern_that_is_refused_says_what_and_where():
    with pytest.raises(trunkline.InvalidEventPatternException) as caught:
        patterns.compile('{"int": 42}')
    error = caught.value
    assert str(error) == (
        'Event pattern is not valid. Reason: "int" must be an object or an array\n'
        ' at [Source: (String)"{"int": 42}"; line: 1, column: 11]'
    )
    assert error.reason == '"int" must be an object or an array'
    assert (error.code, error.line, error.column) == ("InvalidEventPatternException", 1, 11)
    assert isinstance(error, trunkline.TrunklineError)
    assert isinstance(error, ValueError)


def test_a_refusal_without_a_place_has_none():
    with pytest.raises(trunkline.InvalidEventPatternException) as caught:
        patterns.compile({"a": [{"cidr": "10.0.0.0"}]})
    assert (caught.value.line, caught.value.column) == (None, None)


def test_a_policy_that_is_refused_has_the_code_of_sns():
    with pytest.raises(trunkline.InvalidParameterException) as caught:
        patterns.filter_policy('{"store": []}')
    error = caught.value
    assert str(error).startswith("Invalid parameter: FilterPolicy: Empty arrays are not allowed\n")
    assert (error.code, error.line, error.column) == ("InvalidParameter", 1, 13)
    with pytest.raises(trunkline.InvalidParameterException, match="Please use either MessageBody"):
        patterns.filter_policy({"a": ["x"]}, scope="Body")


def test_a_dict_that_json_cannot_carry_is_refused():
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            patterns.compile({"a": [value]})
        with pytest.raises(ValueError, match="JSON"):
            patterns.compile({"a": ["x"]}).matches({"a": value})
    with pytest.raises(TypeError):
        patterns.compile({"a": [b"bytes"]})


def test_half_of_a_pair_of_surrogates_is_an_error_in_text_and_a_letter_in_a_dict():
    pattern = patterns.compile({"a": ["\ud83d"]})
    assert pattern.matches({"a": "\ud83d"})
    assert pattern.matches('{"a": "\\ud83d"}')
    with pytest.raises(trunkline.InvalidEvent, match="write it as an escape"):
        pattern.matches('{"a": "\ud83d"}')
    with pytest.raises(trunkline.InvalidParameterValue, match="write it as an escape"):
        patterns.compile('{"a": ["\ud83d"]}')
    with pytest.raises(trunkline.InvalidEvent):
        pattern.matches(b'{"a": "\xff"}')


def test_an_event_that_cannot_be_read_says_where():
    pattern = patterns.compile({"a": ["x"]})
    with pytest.raises(trunkline.InvalidEvent) as caught:
        pattern.matches('{"a": "x", "b": tru}')
    assert caught.value.code == "InvalidEvent"
    assert 16 <= caught.value.offset <= 19
    rules = patterns.RuleSet()
    rules.add("r", pattern)
    with pytest.raises(trunkline.InvalidEvent, match="Event 2 of the batch"):
        rules.match_many(['{"a": "x"}', "{}", "[]", "also not"])


def test_a_trusted_event_has_the_same_answer():
    pattern = patterns.compile(RUNNING)
    rules = patterns.RuleSet()
    rules.add("on", pattern)
    for event in (b'{"detail": {"state": "running"}}', b'{"detail": {"state": "off"}}', b"{}"):
        assert pattern.matches(event, trusted=True) is pattern.matches(event)
        assert rules.match(event, trusted=True) == rules.match(event)
        assert rules.match_many([event], trusted=True) == rules.match_many([event])


@pytest.mark.parametrize("depth", [5_000, 1_000_000])
def test_deep_nesting_is_an_error(depth):
    pattern = patterns.compile({"a": ["x"]})
    for text in ('{"a":' * depth + "1" + "}" * depth, '{"b":' + "[" * depth + "]" * depth + "}"):
        with pytest.raises(trunkline.InvalidEvent, match="deep"):
            pattern.matches(text)
    with pytest.raises(trunkline.InvalidEventPatternException):
        patterns.compile('{"a":' * depth + '["x"]' + "}" * depth)


# --- sets ----------------------------------------------------------------------------------------


def test_a_set_is_a_container_of_ids():
    rules = patterns.RuleSet()
    assert (len(rules), list(rules), "a" in rules, bool(rules)) == (0, [], False, False)
    rules.add("a", {"n": [1]})
    rules.add(7, {"n": [1]})
    assert (len(rules), list(rules), "a" in rules, 7 in rules) == (2, ["a", 7], True, True)
    assert [] not in rules
    assert 8 not in rules
    assert repr(rules) == "<RuleSet of scope Event: 2 rules>"
    assert rules.match({"n": 1}) == ["a", 7]
    assert rules.remove("a") is True
    assert rules.remove("a") is False
    assert rules.match({"n": 1}) == [7]


def test_an_id_that_is_there_gets_the_new_pattern():
    rules = patterns.RuleSet()
    rules.add("a", {"n": [1]})
    rules.add("a", {"n": [2]})
    assert len(rules) == 1
    assert rules.match_many([{"n": 1}, {"n": 2}]) == [[], ["a"]]
    rules.add_many([("a", {"n": [3]}), ("a", {"n": [4]})])
    assert rules.match_many([{"n": 2}, {"n": 3}, {"n": 4}]) == [[], [], ["a"]]


@pytest.mark.parametrize("id", [None, 1.5, ("a",), b"a", [], object()])
def test_other_ids_are_refused(id):
    with pytest.raises(TypeError, match="the id of a rule must be a str or an int"):
        patterns.RuleSet().add(id, RUNNING)


def test_adding_many_is_all_or_nothing():
    rules = patterns.RuleSet()
    with pytest.raises(trunkline.InvalidEventPatternException):
        rules.add_many([("good", RUNNING), ("bad", {"a": []})])
    assert len(rules) == 0
    rules.add_many({"x": RUNNING, "y": {"a": ["b"]}})
    rules.add_many(iter([]))
    assert list(rules) == ["x", "y"]


def test_rules_that_went_leave_no_trace():
    rules = patterns.RuleSet()
    for turn in range(300):
        rules.add(turn, {"n": [turn % 3], "m": [{"exists": False}]})
        if turn >= 3:
            assert rules.remove(turn - 3)
        assert rules.match({"n": turn % 3}) == [turn]
    assert sorted(rules) == [297, 298, 299]


def test_a_small_set_can_be_drawn():
    rules = patterns.RuleSet()
    rules.add("first", {"a": ["x"], "b": [{"prefix": "y"}]})
    rules.add(2, {"a": [{"anything-but": "z"}]})
    text = rules.draw()
    assert "first" in text
    assert "= 2" in text
    assert rules.draw("dot").startswith("digraph")
    with pytest.raises(trunkline.InvalidParameterValue, match="text or dot"):
        rules.draw("png")


def test_a_set_takes_policies_of_its_scope_alone():
    rules = patterns.RuleSet(scope="MessageAttributes")
    policy = patterns.filter_policy({"store": ["shop"]})
    rules.add("a", policy)
    rules.add("b", {"price": [{"numeric": ["<", 10]}]})
    assert rules.scope == "MessageAttributes"
    assert rules.match({"store": "shop", "price": 9.5}) == ["a", "b"]
    assert rules.match_many([{"store": ["x", "shop"]}, {}]) == [["a"], []]
    with pytest.raises(TypeError, match="the pattern has the scope Event"):
        rules.add("c", patterns.compile(RUNNING))
    with pytest.raises(TypeError, match="the pattern has the scope MessageAttributes"):
        patterns.compile(policy)
    with pytest.raises(trunkline.InvalidParameterException):
        rules.add("c", {"a": {"b": ["nested"]}})
    with pytest.raises(trunkline.InvalidParameterValue, match="scope"):
        patterns.RuleSet(scope="Queue")


def test_a_policy_without_keys_lets_everything_through():
    assert patterns.filter_policy({}).matches({})
    assert patterns.filter_policy("{}", scope="MessageBody").matches('{"a": 1}')


@pytest.mark.parametrize(
    ("value", "matched"),
    [
        ("9", False),
        (9, True),
        (9.0, True),
        (("Number", "9.00"), True),
        (("Number", 9), True),
        (("Number.int", "9"), True),
        ([1, 9], True),
        (("String.Array", "[9]"), True),
        (("String.Array", [9]), True),
        ({"DataType": "Number", "StringValue": "9"}, True),
        ({"Type": "Number", "Value": "9"}, True),
        ({"DataType": "Binary", "BinaryValue": b"9"}, False),
        (b"9", False),
    ],
)
def test_an_attribute_is_written_as_python_or_as_aws_writes_it(value, matched):
    policy = patterns.filter_policy({"n": [{"numeric": ["=", 9]}]})
    assert policy.matches({"n": value}) is matched


@pytest.mark.parametrize("value", [None, True, object(), {"a": 1}, {1, 2}])
def test_other_attributes_are_refused(value):
    policy = patterns.filter_policy({"n": [9]})
    with pytest.raises(TypeError, match="the attribute n must be"):
        policy.matches({"n": value})
    with pytest.raises(TypeError, match="must map names to values, not be a str"):
        policy.matches("text")
    with pytest.raises(trunkline.InvalidParameterValue, match="Binary, Number, and String"):
        policy.matches({"n": ("Float", "1")})
    with pytest.raises(trunkline.InvalidParameterValue, match="half of a pair"):
        policy.matches({"n": "\ud83d"})


def test_limits_are_data_and_can_be_raised():
    long = {"a": ["x" * 3_000]}
    with pytest.raises(trunkline.InvalidEventPatternException):
        patterns.compile(long)
    raised = patterns.Limits(pattern_bytes=4_096)
    assert patterns.compile(long, limits=raised).matches({"a": "x" * 3_000})
    rules = patterns.RuleSet(limits=raised)
    rules.add("long", long)
    six = {f"key{n}": ["v"] for n in range(6)}
    with pytest.raises(trunkline.InvalidParameterException, match="more than 5 keys"):
        patterns.filter_policy(six)
    assert patterns.filter_policy(six, limits=patterns.Limits(filter_keys=6))
    many = {"a": [str(n) for n in range(151)]}
    with pytest.raises(trunkline.InvalidParameterException, match="too complex"):
        patterns.filter_policy(many)
    assert patterns.filter_policy(many, limits=patterns.Limits(filter_combinations=151))
    either = {f"f{n}": {"$or": [{"a": [1]}, {"b": [1]}, {"c": [1]}, {"d": [1]}]} for n in range(5)}
    with pytest.raises(trunkline.InvalidEventPatternException):
        patterns.compile(either)
    assert patterns.compile(either, limits=patterns.Limits(or_combinations=1_024))
    assert raised != patterns.Limits()
    assert patterns.Limits() != trunkline.Limits()
    with pytest.raises(TypeError, match="there is no limit named nothing"):
        patterns.Limits(nothing=1)
    with pytest.raises(trunkline.InvalidParameterValue, match="pattern_bytes"):
        patterns.Limits(pattern_bytes=-1)


def test_depth_can_be_lowered_and_is_bounded_by_the_stack():
    shallow = patterns.Limits(depth=3)
    assert patterns.compile({"a": ["x"]}, limits=shallow).matches('{"a": "x", "b": [[1]]}')
    with pytest.raises(trunkline.InvalidEvent, match="deep"):
        patterns.compile({"a": ["x"]}, limits=shallow).matches('{"a": "x", "b": [[[1]]]}')
    with pytest.raises(trunkline.InvalidParameterValue, match="0 to 1000"):
        patterns.Limits(depth=1_001)


def test_the_deepest_pattern_and_event_fit_a_small_stack():
    depth, found = 990, []
    pattern = '{"a":' * depth + '["x"]' + "}" * depth
    event = '{"a":' * depth + '"x"' + "}" * depth
    limits = patterns.Limits(pattern_bytes=10_000)

    def run() -> None:
        rules = patterns.RuleSet(limits=limits)
        rules.add("deep", pattern)
        found.append((rules.match(event), rules.match('{"b":' + "[" * depth + "]" * depth + "}")))
        found.append(patterns.compile(pattern, limits=limits).explain(event).matched)

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found == [(["deep"], []), True]


def test_wildcards_that_are_too_complex_are_refused_in_the_words_of_aws():
    # Recorded against AWS by LocalStack: content_wildcard_complex_EXC.
    complex_one = "*".join("a" * n for n in (1, 2, 3, 4, 5)) + "*" + "*a" * 200
    with pytest.raises(trunkline.InvalidEventPatternException, match="Rule is too complex"):
        patterns.compile({"a": [{"wildcard": complex_one.replace("**", "*")}]})


def test_a_batch_lets_other_threads_run():
    rules = patterns.RuleSet()
    rules.add("many", {"m": [{"wildcard": "*needle*"}]})
    events = [f'{{"m": "{"x" * 100_000}{n}"}}'.encode() for n in range(2_000)]
    ticks, done = itertools.count(), threading.Event()

    def tick() -> None:
        while not done.is_set():
            next(ticks)
            time.sleep(0.001)

    def turns() -> int:
        """How often the other thread ran during a batch."""
        before = next(ticks)
        assert rules.match_many(events) == [[]] * len(events)
        return next(ticks) - before - 1

    clock = threading.Thread(target=tick)
    clock.start()
    try:
        # A batch that kept the interpreter would leave a turn before itself and one after.
        until(lambda: turns() > 5)
    finally:
        done.set()
        clock.join()


def test_the_package_is_imported_without_its_patterns():
    program = (
        "import sys, trunkline; print('trunkline.patterns' in sys.modules, 'json' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"
    program = "import trunkline; print(trunkline.patterns.matches({'a': [1]}, {'a': 1.0}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
