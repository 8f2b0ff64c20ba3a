"""AWS's recorded answers, replayed against the server; ``README.md`` says how."""
