"""Roots: the one key above all others, in a file or in a token that never lets go of it."""
