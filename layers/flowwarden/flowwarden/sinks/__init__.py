"""Receivers of notifications, a file each: what each takes, and how much. Calls to AWS are in `aws/`."""
