"""The trace: what happened to a message, an event or a record, and why."""
