"""Topics from Python."""
