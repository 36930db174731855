"""Data that a container keeps between batches: log formats, interfaces, and state that it has read."""
