"""EventBridge Pipes: from a queue or a stream, through filters and an enrichment, to a target."""
