"""Papers that write themselves from a site's live evidence, and say what a human must still write."""
