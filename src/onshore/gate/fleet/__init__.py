"""The door of cars that stream over a WebSocket with client certificates, as Teslas do (fleet-telemetry)."""
