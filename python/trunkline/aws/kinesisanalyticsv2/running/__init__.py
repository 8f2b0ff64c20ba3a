"""Applications at work: pumps, what they write to, and the one runner of an engine."""
