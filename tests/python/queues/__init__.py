"""Queues: the public verbs, vectors, and a model that checks the engine's answers."""
