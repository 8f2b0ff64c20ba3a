"""FIFO queues against the model: both deduplication scopes, in memory and across restarts."""

from hypothesis import settings

from .machine import QueueMachine


class InMemory(QueueMachine):
    """No path: nothing to restart."""

    fifo = True


class ScopeGroup(InMemory):
    """The same deduplication id in two groups is two messages."""

    dedup_by_group = True


class OnDisk(InMemory):
    """A folder: a restart is one of the verbs."""

    on_disk = True


TestFifoInMemory = InMemory.TestCase
TestFifoScopeGroup = ScopeGroup.TestCase
TestFifoOnDisk = OnDisk.TestCase
TestFifoInMemory.settings = settings(settings.default, stateful_step_count=60)
TestFifoScopeGroup.settings = settings(settings.default, stateful_step_count=60)
TestFifoOnDisk.settings = settings(settings.default, stateful_step_count=60)
