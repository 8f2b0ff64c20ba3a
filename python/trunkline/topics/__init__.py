"""Topics: what is published once goes to every subscription whose filter lets it pass."""
