"""Data enters, by one of the doors, each of which speaks a protocol that cars already speak."""
