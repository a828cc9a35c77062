"""The MQTT door: cars speak MQTT 3.1.1 and 5 to the gate itself; a maker's broker is read by `client.py`."""
