"""Notifications of both functions: claims, sinks and delivery."""
