"""What Onshore talks about: signals, batches, consents, permits, verdicts, and the one tree of errors."""
