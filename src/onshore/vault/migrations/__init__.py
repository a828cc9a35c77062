"""Migrations: how the papers of an older release become this one's; none goes back."""

FIRST = "0001"
"""The format of papers that bear no number: those of release 0.1.0."""

HEAD = "0003"
"""The format that this release reads and writes. A test holds it to the newest of `versions`."""
