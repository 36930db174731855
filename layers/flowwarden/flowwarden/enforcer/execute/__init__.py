"""Executes plans, with backoff while AWS throttles."""
