"""The matcher against the reference: in volume from a seed, and by hypothesis, which shrinks."""

import threading
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from trunkline import patterns

from . import pairs, reference
from .generators import Generator

randoms = st.randoms(use_true_random=False)
# A pattern of every operator with a similar event is many choices, also at its smallest.
large = settings(suppress_health_check=list(HealthCheck))


def test_twenty_thousand_generated_pairs_agree() -> None:
    totals = pairs.check(seed=1, count=20_000)
    # What never matched, or always, would prove little.
    assert 0.02 < totals["matched"] / totals["pairs"] < 0.9


@large
@given(randoms)
def test_a_generated_pair_agrees(random: Random) -> None:
    generator = Generator(random)
    text = generator.pattern()
    event = generator.event(text)
    pattern = patterns.compile(text, limits=pairs.LIMITS)
    wanted = reference.matches(text, event)
    assert pattern.matches(event) is wanted
    assert pattern.matches(event.encode(), trusted=True) is wanted
    assert pattern.explain(event).matched is wanted


@large
@given(randoms)
def test_generated_attributes_agree(random: Random) -> None:
    generator = Generator(random, policies=True)
    text = generator.pattern(nested=False)
    attributes = generator.attributes(text)
    policy = patterns.filter_policy(text, limits=pairs.LIMITS)
    assert policy.matches(attributes) is reference.matches_attributes(text, attributes)


class RuleSetMachine(RuleBasedStateMachine):
    """A set that rules are added to and taken from, and a dict that does the same."""

    patterns_made = Bundle("patterns")

    @initialize()
    def start(self) -> None:
        self.set = patterns.RuleSet()
        self.model: dict[str, patterns.Pattern] = {}

    @rule(target=patterns_made, random=randoms)
    def make(self, random: Random) -> str:
        return Generator(random).pattern()

    @rule(id=st.integers(0, 12), text=patterns_made)
    def add(self, id: int, text: str) -> None:
        pattern = patterns.compile(text, limits=pairs.LIMITS)
        self.set.add(f"r{id}", pattern)
        self.model[f"r{id}"] = pattern

    @rule(ids=st.lists(st.integers(0, 12), max_size=6), text=patterns_made)
    def add_many(self, ids: list[int], text: str) -> None:
        pattern = patterns.compile(text, limits=pairs.LIMITS)
        added = [(f"r{id}", pattern) for id in ids]
        self.set.add_many(added)
        self.model.update(added)

    @rule(id=st.integers(0, 12))
    def remove(self, id: int) -> None:
        assert self.set.remove(f"r{id}") is (f"r{id}" in self.model)
        self.model.pop(f"r{id}", None)

    @rule(random=randoms, text=patterns_made)
    def match(self, random: Random, text: str) -> None:
        generator = Generator(random)
        events = [generator.event(text) for _ in range(3)]
        wanted = [[id for id in self.set if self.model[id].matches(event)] for event in events]
        assert [self.set.match(event) for event in events] == wanted
        assert [self.set.match(event.encode(), trusted=True) for event in events] == wanted
        assert self.set.match_many(events) == wanted

    @invariant()
    def holds_what_was_added(self) -> None:
        assert len(self.set) == len(self.model)
        assert set(self.set) == set(self.model)
        assert all(id in self.set for id in self.model)


TestRuleSet = RuleSetMachine.TestCase


def test_readers_see_whole_sets_while_a_writer_churns() -> None:
    rule_set = patterns.RuleSet()
    # These stay, whatever comes and goes beside them.
    rule_set.add_many((f"stays-{n}", {"n": [n]}) for n in range(50))
    events = [f'{{"n": {n}, "pad": "{"x" * 1_000}"}}' for n in range(50)]
    done, errors = threading.Event(), []

    def read() -> None:
        try:
            while not done.is_set():
                for n, ids in enumerate(rule_set.match_many(events)):
                    assert f"stays-{n}" in ids
                    # A rule of the writer is seen for what it is, or not at all.
                    others = [id for id in ids if not id.startswith("stays-")]
                    assert all(int(id.partition("-")[2]) % 50 == n for id in others), ids
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(3_000):
        rule_set.add(f"comes-{turn}", {"n": [turn % 50, {"prefix": "never"}]})
        if turn >= 20:
            assert rule_set.remove(f"comes-{turn - 20}")
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert len(rule_set) == 70
