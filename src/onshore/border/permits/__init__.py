"""The permit: signed, dated, bound, recorded, and the clock by which it is believed."""
