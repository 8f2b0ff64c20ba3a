"""Schedules once more, as a small model: what they send, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

MINUTE = 60


@dataclass
class Plan:
    """One schedule: a rate, or a cron expression that names minutes of every hour."""

    name: str
    period: int | None
    minutes: frozenset[int]
    anchor: int
    through: int
    paused: bool = False

    def next(self) -> int:
        """The first occurrence that is not decided upon."""
        after = self.through
        if self.period is not None:
            passed = (after - self.anchor) // self.period
            return self.anchor if after < self.anchor else self.anchor + (passed + 1) * self.period
        minute = after // MINUTE + 1
        while minute % 60 not in self.minutes:
            minute += 1
        return minute * MINUTE


@dataclass
class Model:
    """The schedules of one engine. Times are whole seconds."""

    now: int
    plans: dict[str, Plan] = field(default_factory=dict)
    sent: list[tuple[int, str]] = field(default_factory=list)

    def create(self, name: str, period: int | None, minutes: frozenset[int]) -> None:
        # Something that is due at this very moment is sent.
        self.plans[name] = Plan(name, period, minutes, self.now, self.now - 1)
        self.run()

    def remove(self, name: str) -> None:
        del self.plans[name]

    def pause(self, name: str) -> None:
        plan = self.plans[name]
        plan.paused, plan.through = True, max(plan.through, self.now - 1)

    def resume(self, name: str) -> None:
        plan = self.plans[name]
        plan.paused, plan.through = False, max(plan.through, self.now - 1)
        self.run()

    def advance(self, seconds: int) -> None:
        self.now += seconds
        self.run()

    def reopen(self, seconds: int) -> None:
        """The engine was closed for so long: an occurrence has a minute."""
        self.now += seconds
        for plan in self.plans.values():
            while not plan.paused and plan.next() + MINUTE < self.now:
                plan.through = plan.next()
        self.run()

    def run(self) -> None:
        """Send what is due."""
        for plan in self.plans.values():
            while not plan.paused and plan.next() <= self.now:
                plan.through = plan.next()
                self.sent.append((plan.through, plan.name))
