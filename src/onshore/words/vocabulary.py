"""The closed lists: categories of data, grounds, and the purpose that needs nobody's consent."""

CATEGORIES = (
    "track",
    "exterior-video",
    "exterior-video-anonymised",
    "cabin-video",
    "cabin-audio",
    "biometric",
    "identity",
    "driving-behaviour",
    "vehicle-operation",
    "charging-network",
    "traffic-flow",
    "point-cloud",
    "health",
    "financial",
    "diagnostic-aggregate",
)
"""What an observation can be (codes of the scenario book, format 1)."""

GROUNDS = ("consent", "statutory", "contract", "emergency", "safety")
"""Legal grounds of the scenario book; PIPL Art. 13 names more, none of which a car's gate may claim."""

STATUTORY = "statutory-monitoring"
"""The one purpose that statutory rows may serve; always bit 0 of a purposes column."""

MAX_PURPOSES = 63
"""Purposes are bits of a signed 64-bit column; the sign stays clear."""
