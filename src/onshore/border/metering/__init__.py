"""The meter: who counts, how often, and against which figure."""
