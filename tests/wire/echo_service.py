"""Echo services: they record each call and return a preset output."""

from __future__ import annotations

import botocore.session

from trunkline._core import WireDispatcher
from trunkline.aws.defaults import BASE
from trunkline.aws.endpoint import bind
from trunkline.aws.models import read_model
from trunkline.aws.transport import LocalSession

SUFFIX = "-echo"
"""Under a name of its own a service has no data plane: all requests are of the control plane."""


class EchoService:
    """A control plane for botocore's models, and clients that reach it through the codecs."""

    def __init__(self, engine):
        self.engine = engine
        self.calls = []
        self.output = {}
        self.failure = None

    def call(self, service, operation, about, given):
        self.calls.append((service.removesuffix(SUFFIX), operation, given))
        if self.failure is not None:
            raise self.failure
        return self.output

    def model(self, service):
        return read_model(service.removesuffix(SUFFIX))

    def reset(self):
        self.calls.clear()

    def client(self, service, target_prefix=None, signing=None, **options):
        plain = (service + SUFFIX, target_prefix, [signing or service], None, [], None, None)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        where = {"region_name": "us-east-1", "endpoint_url": BASE}
        made = botocore.session.get_session().create_client(service, **keys | where | options)
        dispatcher = WireDispatcher(self.engine._core, self, [plain], "parse", [])
        bind(made, LocalSession(dispatcher))
        return made
