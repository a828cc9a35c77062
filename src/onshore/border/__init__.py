"""Data leaves, with a permit and a meter, or not at all."""
