"""Event buses: events, rules and targets. The public names are those of `trunkline`."""
