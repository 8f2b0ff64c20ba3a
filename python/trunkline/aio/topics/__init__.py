"""Topics for event loops."""
