"""Encrypted, erasable storage of one site: journal, segments, papers, keys."""
