"""The ways from an event to its aggregates, one module each, and the floors under them."""
