"""What a person may ask: see, restrict, erase."""
