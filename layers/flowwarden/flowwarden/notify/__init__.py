"""Notifications of both functions: claims, sending, what was sent before."""
