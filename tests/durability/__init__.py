"""Real processes, real kills, real folders: what the simulation cannot show."""
