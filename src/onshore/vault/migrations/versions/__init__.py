"""One module per format: what it adds to the one before it."""
