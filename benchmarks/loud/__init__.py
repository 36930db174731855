"""Measures loud batches: the most expensive batches that CloudWatch Logs can deliver."""
