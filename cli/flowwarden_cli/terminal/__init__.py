"""The terminal: console, progress, JSON lines."""
