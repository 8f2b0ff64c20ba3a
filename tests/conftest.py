"""What all Python tests share: how long hypothesis looks."""

from __future__ import annotations

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
