"""Onshore keeps each car's data in the jurisdiction where it was made, and proves it."""

__version__ = "0.1.0"
