"""Queues by name: get or create, compare what is given, change, dead letters."""

from __future__ import annotations

import threading

import pytest

import trunkline

CHANGES = {
    "delay": 5,
    "retention": 60,
    "max_message_size": 2_048,
    "visibility_timeout": 7,
    "receive_wait": 3,
    "content_based_dedup": True,
    "dedup_scope": "group",
}


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


@pytest.mark.parametrize("option", CHANGES)
def test_a_given_option_is_kept_shown_and_compared(engine, option):
    value = CHANGES[option]
    engine.queue("plain.fifo")
    queue = engine.queue("set.fifo", **{option: value})
    assert queue.settings()[option] == value
    assert engine.queue("set.fifo").settings() == queue.settings()
    assert engine.queue("set.fifo", **{option: value}).settings() == queue.settings()
    with pytest.raises(trunkline.QueueNameExists, match=f"attribute {option};"):
        engine.queue("plain.fifo", **{option: value})
    engine.queue("plain.fifo").configure(**{option: value})
    assert engine.queue("plain.fifo", **{option: value}).settings() == queue.settings()


def test_a_default_that_is_given_is_equal(engine):
    engine.queue("q")
    engine.queue("q", delay=0, visibility_timeout=30.0, retention=345_600)


def test_only_given_options_are_changed(engine):
    queue = engine.queue("q", delay=5, visibility_timeout=7)
    queue.configure(delay=6)
    assert queue.settings()["delay"] == 6
    assert queue.settings()["visibility_timeout"] == 7


def test_a_dead_letter_queue_exists_is_of_the_same_kind_and_needs_a_count(engine):
    engine.queue("dead")
    engine.queue("dead.fifo")
    with pytest.raises(trunkline.QueueDoesNotExist, match="create it first"):
        engine.queue("q", dead_letter="none", max_receive_count=1)
    with pytest.raises(trunkline.InvalidParameterValue, match="its own dead letters"):
        engine.queue("q", dead_letter="q", max_receive_count=1)
    with pytest.raises(trunkline.InvalidParameterValue, match="standard queue"):
        engine.queue("q", dead_letter="dead.fifo", max_receive_count=1)
    with pytest.raises(trunkline.InvalidParameterValue, match="FIFO queue"):
        engine.queue("q.fifo", dead_letter="dead", max_receive_count=1)
    for count in (0, 1_001):
        with pytest.raises(trunkline.InvalidParameterValue, match="max_receive_count"):
            engine.queue("q", dead_letter="dead", max_receive_count=count)
    with pytest.raises(trunkline.InvalidParameterValue, match="give both"):
        engine.queue("q", dead_letter="dead")
    assert [queue.name for queue in engine.queues()] == ["dead", "dead.fifo"]


def test_a_dead_letter_queue_is_compared_and_can_be_taken_away(engine):
    dead = engine.queue("dead")
    queue = engine.queue("q", dead_letter=dead, max_receive_count=3)
    assert engine.queue("q", dead_letter="dead", max_receive_count=3).name == "q"
    with pytest.raises(trunkline.QueueNameExists):
        engine.queue("q", dead_letter="dead", max_receive_count=4)
    assert [source.name for source in dead.dead_letter_sources()] == ["q"]
    queue.configure(dead_letter=None)
    assert queue.settings()["dead_letter"] is None
    assert queue.settings()["max_receive_count"] is None
    assert dead.dead_letter_sources() == []


def test_redrive_allow_decides_who_may_use_a_queue(engine):
    engine.queue("closed", redrive_allow="none")
    engine.queue("some", redrive_allow=["friend"])
    for dead in ("closed", "some"):
        with pytest.raises(trunkline.InvalidParameterValue, match="redrive_allow"):
            engine.queue("q", dead_letter=dead, max_receive_count=1)
    engine.queue("friend", dead_letter="some", max_receive_count=1)
    with pytest.raises(trunkline.QueueNameExists, match="redrive_allow"):
        engine.queue("some", redrive_allow=["foe"])
    engine.queue("closed").configure(redrive_allow="all")
    engine.queue("q", dead_letter="closed", max_receive_count=1)


def test_the_wait_of_a_queue_holds_for_receives_that_name_none():
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    queue = engine.queue("q", receive_wait=20)
    woken = threading.Event()

    def receive() -> None:
        queue.receive()
        woken.set()

    thread = threading.Thread(target=receive)
    thread.start()
    assert not woken.wait(0.2)
    assert queue.receive(wait=0) == []
    queue.send("a")
    thread.join(60)
    assert woken.is_set()


def test_accounts_and_regions_are_apart(engine):
    here = engine.queue("q")
    there = engine.queue("q", account="111122223333", region="eu-west-1")
    here.send("a")
    assert there.receive() == []
    assert len(engine.queues()) == 1
    assert len(engine.queues(account="111122223333", region="eu-west-1")) == 1


def test_two_threads_that_define_a_queue_at_once_get_the_same(engine):
    found = []
    start = threading.Barrier(8)

    def define() -> None:
        start.wait()
        found.append(engine.queue("new", visibility_timeout=5))

    threads = [threading.Thread(target=define) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found[0].send("a")
    assert [queue.statistics().visible for queue in found] == [1] * 8


@pytest.mark.parametrize("name", ["q", "q.fifo"])
def test_settings_can_be_given_back_and_to_other_queues(name):
    with trunkline.open() as engine:
        engine.queue(f"dead-{name}")
        queue = engine.queue(name, delay=5, dead_letter=f"dead-{name}", max_receive_count=3)
        settings = queue.settings()
        queue.configure(**settings)
        assert queue.settings() == settings
        assert engine.queue(name, **settings) == queue
        assert engine.queue(f"other-{name}", **settings).settings() == settings


def test_a_standard_queue_has_nothing_of_a_fifo_queue():
    with trunkline.open() as engine:
        for option in ({"content_based_dedup": True}, {"dedup_scope": "group"}):
            with pytest.raises(trunkline.InvalidAttributeName):
                engine.queue("q", **option)


def test_either_half_of_a_redrive_can_be_changed_alone():
    with trunkline.open() as engine:
        engine.queue("dead")
        other = engine.queue("other")
        queue = engine.queue("q", dead_letter="dead", max_receive_count=3)

        def redrive():
            settings = queue.settings()
            return settings["dead_letter"], settings["max_receive_count"]

        queue.configure(max_receive_count=5)
        assert redrive() == ("dead", 5)
        queue.configure(dead_letter=other)
        assert redrive() == ("other", 5)
        assert engine.queue("q", max_receive_count=5) == queue
        with pytest.raises(trunkline.QueueNameExists):
            engine.queue("q", max_receive_count=6)
        queue.configure(dead_letter=None)
        assert redrive() == (None, None)
        with pytest.raises(trunkline.InvalidParameterValue, match="belong together"):
            queue.configure(max_receive_count=5)


def test_queues_are_equal_when_they_are_the_same():
    with trunkline.open() as engine, trunkline.open() as elsewhere:
        queue = engine.queue("q")
        again, other = engine.queue("q"), engine.queue("other")
        assert (queue == again, queue == other, queue == "q") == (True, False, False)
        assert queue != elsewhere.queue("q")
        assert len({queue, again, other}) == 2
        loop = trunkline.aio.wrap(engine)
        assert loop.queue("q") == loop.queue("q") != loop.queue("other")
        assert len({loop.queue("q"), loop.queue("q")}) == 1
        queue.remove()
        assert engine.queue("q") != queue


def test_a_level_that_is_none_is_named():
    with pytest.raises(trunkline.InvalidParameterValue, match=r"'?foo'? for parameter durability"):
        trunkline.open(durability="foo")
