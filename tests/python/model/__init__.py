"""A small model of both queue kinds, and the state machines that hold the engine against it."""
