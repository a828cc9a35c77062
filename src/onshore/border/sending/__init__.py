"""The way out: where to, in which words, what was counted, what came back."""
