"""What all Python tests share: how long hypothesis looks, and the models that botocore has read."""

from __future__ import annotations

import contextlib
import functools
import os

from hypothesis import HealthCheck, settings

# The browser of the console's tests leaves an event loop running in its process, in which no other
# test can start one: `make test-console` runs them alone.
collect_ignore = [] if "TRUNKLINE_CONSOLE" in os.environ else ["console"]

COMMON = {
    "deadline": None,  # a shared machine pauses; a slow example is no defect
    "suppress_health_check": [HealthCheck.too_slow],
    "print_blob": True,
}
settings.register_profile("quick", max_examples=30, **COMMON)
settings.register_profile("ci", max_examples=60, **COMMON)
settings.register_profile("long", max_examples=2_000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A session reads the models of its services from the disk: nine tenths of the time of a client, of
# which most tests make one. So all sessions of a process share what reads and keeps them.
with contextlib.suppress(ImportError):
    import botocore.session

    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
