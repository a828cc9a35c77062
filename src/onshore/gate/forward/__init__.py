"""Statutory lane: what the law has sent on to its platform, and nothing else (GB/T 32960.3)."""
