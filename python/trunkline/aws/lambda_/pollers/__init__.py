"""What reads event sources and calls functions with batches of their records."""
