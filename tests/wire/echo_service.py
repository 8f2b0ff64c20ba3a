"""Echo services: they record each call and return a preset output."""

from __future__ import annotations

import trunkline.aws
from trunkline._core import WireDispatcher
from trunkline.aws.endpoint import bind
from trunkline.aws.models import read_model
from trunkline.aws.transport import LocalSession


class EchoService:
    """A control plane for botocore's models, and clients that reach it through the codecs."""

    def __init__(self, engine):
        self.engine = engine
        self.calls = []
        self.output = {}
        self.failure = None

    def call(self, service, operation, about, given):
        self.calls.append((service, operation, given))
        if self.failure is not None:
            raise self.failure
        return self.output

    def model(self, service):
        return read_model(service)

    def reset(self):
        self.calls.clear()

    def client(self, service, target_prefix=None, signing=None, **options):
        plain = (service, target_prefix, [signing or service], None, [], None)
        made = trunkline.aws.client(service, engine=self.engine, **options)
        dispatcher = WireDispatcher(self.engine._core, self, [plain], "parse", [])
        bind(made, LocalSession(dispatcher))
        return made
