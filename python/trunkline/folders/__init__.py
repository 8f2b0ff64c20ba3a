"""Folders whose new files become messages, events or objects."""
