"""Receivers of notifications, a file each: what each service takes, and how much. Calls to AWS are in `aws/`."""
