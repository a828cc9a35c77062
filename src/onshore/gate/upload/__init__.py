"""The door upload: recorded drives arrive as files over HTTPS, resumable, and are taken in while they arrive."""
