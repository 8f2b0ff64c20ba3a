"""The public API: what its users write, and what they get when they write something wrong."""
