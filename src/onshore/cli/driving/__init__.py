"""A modest model of how cars drive: roads of any city, trips over days, batteries. Nothing of it is real data."""
