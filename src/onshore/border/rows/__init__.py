"""The rows that may leave: chosen, sieved, coarsened, packed."""
