"""The law as data (packs) and one judge that reads it."""
