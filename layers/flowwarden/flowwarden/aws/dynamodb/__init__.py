"""The state table: one file for each kind of item, such as claims, sets and the enforcer's work queue."""
