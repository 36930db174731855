"""The state table: claims, log formats, sets, the enforcer's work queue."""
