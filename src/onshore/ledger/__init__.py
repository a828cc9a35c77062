"""The append-only proof of what happened: tree, log, signed notes, and a verifier that ships alone."""
