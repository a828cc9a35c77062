"""Instants, told to people and programs alike."""

from datetime import UTC, datetime


def clock_text(at: int | None) -> str:
    """An instant (ms UTC): UTC to the second, or a dash."""
    return "-" if not at else datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
