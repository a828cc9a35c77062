"""What people allowed, compiled to columns, and the sieve that obeys it."""
