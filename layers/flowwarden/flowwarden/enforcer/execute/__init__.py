"""Plans are carried out, with backoff while AWS throttles."""
