"""The ways from an event to its aggregates, one module each, and the floors (lower bounds)."""
