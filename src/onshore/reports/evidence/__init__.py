"""What is so at a site over a year, each figure with what it rests on; counts and digests, nobody's data."""
