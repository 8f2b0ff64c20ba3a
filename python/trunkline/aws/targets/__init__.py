"""What rules, schedules and pipes send to: one table, with an entry for each kind of target."""
