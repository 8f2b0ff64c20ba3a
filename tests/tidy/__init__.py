"""The repository's own rules, as tests. Each failure says what to do."""
