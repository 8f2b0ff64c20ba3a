"""What lists read, counted: a page reads what it shows, a whole list each entry about once."""

from __future__ import annotations

import pytest

import trunkline
from trunkline.aws.operation import Call
from trunkline.aws.services import SERVICES
from trunkline.aws.store import Store

OWNER = ("000000000000", "us-east-1")
MANY = 100_000


class Counted:
    """Passes everything on, and counts the entries of the lists that come back."""

    def __init__(self, inner, work):
        self._inner = inner
        self._work = work

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def count(*given, **named):
            answer = found(*given, **named)
            if isinstance(answer, list):
                self._work.append(len(answer))
                return [self._of(one) for one in answer]
            return self._of(answer)

        return count

    def _of(self, answer):
        """Topics and buses list what they have, too."""
        if type(answer).__name__ in ("Topic", "Bus", "Schedules"):
            return Counted(answer, self._work)
        return answer


class Lister:
    """Calls operations of one service, and says how many entries they read."""

    def __init__(self, core, service):
        self.work = []
        store = Store(core)
        store.core = Counted(core, self.work)
        store._wire = Counted(store._wire, self.work)
        self._counted, self._plain = store, Store(core)
        self._operations = next(one for one in SERVICES if one.name == service).operations()

    def __call__(self, operation, resource=None, **given):
        store = self._plain if operation.startswith("Create") else self._counted
        call = Call(store, *OWNER, None, "http://localhost", "id", resource)
        return self._operations[operation].function(call, **given)

    def pages(self, operation, *, token="next_token", **given):
        """All pages; none may read more than a page, and one look ahead, twice over."""
        after = {}
        while True:
            begun = sum(self.work)
            page = self(operation, **given, **after)
            yield page, sum(self.work) - begun
            name = next((name for name in ("NextToken", "nextToken") if page.get(name)), None)
            if name is None:
                return
            after = {token: page[name]}


def listed(lister, operation, member, show, **given):
    """What a whole list shows, each page and the whole of it read in proportion to it."""
    shown, read = [], 0
    for page, work in lister.pages(operation, **given):
        assert work <= 500, f"{operation} read {work} entries for one page"
        shown += [show(one) for one in page[member]]
        read += work
    assert read <= 5 * len(shown) + 500, f"{operation} read {read} entries, showed {len(shown)}"
    return shown


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


def test_a_hundred_thousand_topics(engine):
    for number in range(MANY):
        engine._core.topic((*OWNER, f"t{number:06}"), True, None, None)
    lister = Lister(engine._core, "sns")
    found = listed(lister, "ListTopics", "Topics", lambda one: one["TopicArn"].rpartition(":")[2])
    assert found == [f"t{number:06}" for number in range(MANY)]


def test_a_hundred_thousand_subscriptions(engine):
    # Some topics before and between have none; each page begins in the middle of one.
    topics = [engine.topic(f"t{number:03}") for number in range(40)]
    queues = [engine.queue(f"q{number}") for number in range(MANY // 10)]
    for topic in topics[::4]:
        for queue in queues:
            topic.subscribe(queue)
    lister = Lister(engine._core, "sns")
    found = listed(lister, "ListSubscriptions", "Subscriptions", lambda one: one["SubscriptionArn"])
    assert len(found) == len(set(found)) == MANY
    [name, arn] = ["t000", found[0].rpartition(":")[0]]
    of_topic = listed(
        lister,
        "ListSubscriptionsByTopic",
        "Subscriptions",
        lambda one: one["SubscriptionArn"],
        topic_arn=arn,
        resource=(*OWNER, name),
    )
    assert of_topic == found[: MANY // 10]


def test_rules_and_buses(engine):
    bus, queue = engine.bus("default"), engine.queue("q")
    for number in range(3_000):
        bus.rule(f"r{number:05}", {"source": [f"s{number}"]}, queue)
        engine.bus(f"b{number:05}")
    lister = Lister(engine._core, "events")
    of_bus = {"resource": (*OWNER, "default")}
    name = lambda one: one["Name"]  # noqa: E731
    rules = listed(lister, "ListRules", "Rules", name, **of_bus)
    assert rules == [f"r{number:05}" for number in range(3_000)]
    arn = "arn:aws:sqs:us-east-1:000000000000:q"
    names = listed(lister, "ListRuleNamesByTarget", "RuleNames", str, target_arn=arn, **of_bus)
    assert names == rules
    buses = listed(lister, "ListEventBuses", "EventBuses", name)
    assert buses == [*(f"b{number:05}" for number in range(3_000)), "default"]


def test_archives_their_rules_and_replays(clock):
    engine = trunkline.open(clock=clock)
    buses = [engine.bus(name) for name in ("a", "b", "default")]
    for number in range(1_500):
        archive = buses[number % 3].archive(f"n{number:05}")
        archive.replay(0, 1, name=f"p{number:05}")
        clock.advance(60)
    lister = Lister(engine._core, "events")
    archives = listed(lister, "ListArchives", "Archives", lambda one: one["ArchiveName"])
    assert archives == [f"n{number:05}" for number in range(1_500)]
    replays = listed(lister, "ListReplays", "Replays", lambda one: one["ReplayName"])
    assert replays == [f"p{number:05}" for number in range(1_500)]
    of_bus = {"event_source_arn": "arn:aws:events:us-east-1:000000000000:event-bus/a"}
    found = listed(lister, "ListArchives", "Archives", lambda one: one["ArchiveName"], **of_bus)
    assert found == archives[::3]
    for prefix in ("", "Ev", "Events-Archive-n0"):
        given = {"name_prefix": prefix, "resource": (*OWNER, "a")}
        rules = listed(lister, "ListRules", "Rules", lambda one: one["Name"], **given)
        assert rules == [f"Events-Archive-{name}" for name in archives[::3]]
    assert listed(lister, "ListRules", "Rules", str, name_prefix="x", resource=(*OWNER, "a")) == []
    engine.close()


def test_schedules_and_their_groups(engine):
    lister = Lister(engine._core, "scheduler")
    target = {"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": "arn:aws:iam::0:role/r"}
    engine.queue("q")
    rule = {"schedule_expression": "rate(1 hour)", "flexible_time_window": {"Mode": "OFF"}}
    for number in range(1_000):
        group = f"g{number:04}"
        lister("CreateScheduleGroup", name=group)
        lister("CreateSchedule", name="s", group_name=group, target=target, **rule)
    name = lambda one: one["Name"]  # noqa: E731
    groups = listed(lister, "ListScheduleGroups", "ScheduleGroups", name)
    assert groups == ["default", *(f"g{number:04}" for number in range(1_000))]
    found = listed(lister, "ListSchedules", "Schedules", lambda one: one["GroupName"])
    assert found == groups[1:]
    found = listed(lister, "ListSchedules", "Schedules", name, group_name="g0500")
    assert found == ["s"]


@pytest.mark.parametrize(
    ("service", "create", "operation", "member"),
    [
        ("schemas", "CreateRegistry", "ListRegistries", "Registries"),
        ("events", "CreateConnection", "ListConnections", "Connections"),
    ],
)
def test_documents(engine, service, create, operation, member):
    lister = Lister(engine._core, service)
    for number in range(1_000):
        if service == "schemas":
            lister(create, registry_name=f"n{number:04}")
        else:
            key = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}
            lister(create, name=f"n{number:04}", authorization_type="API_KEY", auth_parameters=key)
    name = "RegistryName" if service == "schemas" else "Name"
    found = listed(lister, operation, member, lambda one: one[name])
    assert [one for one in found if one[0] == "n"] == [f"n{number:04}" for number in range(1_000)]
