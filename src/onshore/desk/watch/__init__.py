"""Watching a site run: whether a process lives, whether it is ready, and its figures; for machines, not for people."""
