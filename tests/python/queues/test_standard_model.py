"""Standard queues against the model, in memory and across restarts."""

from hypothesis import settings

from .machine import QueueMachine


class InMemory(QueueMachine):
    """No path: nothing to restart."""


class OnDisk(QueueMachine):
    """A folder: a restart is one of the verbs."""

    on_disk = True


TestStandardInMemory = InMemory.TestCase
TestStandardOnDisk = OnDisk.TestCase
TestStandardInMemory.settings = settings(settings.default, stateful_step_count=60)
TestStandardOnDisk.settings = settings(settings.default, stateful_step_count=60)
