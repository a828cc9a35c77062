"""How simulated cars speak, a module for each protocol: bytes to send, and what the answers say. No sockets."""
