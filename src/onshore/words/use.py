"""Use: what somebody wants kept cells for, when they are sieved again at the border or for a reader."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """One purpose, and for what leaves the site the recipient that the consent must name (PIPL Art. 14, 39)."""

    purpose: str
    recipient: str | None = None
