"""The review of what is learned: the report at the end of learning, for operations."""
