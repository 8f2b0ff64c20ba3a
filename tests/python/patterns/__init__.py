"""Event patterns: the package beside a slow reference, vectors, the command."""
