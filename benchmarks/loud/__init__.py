"""The loudest batches that CloudWatch Logs can deliver, on the function's share of a core."""
