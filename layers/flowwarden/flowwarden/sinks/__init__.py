"""Receivers of notifications, a file each: what each service takes, and how much. They make no calls."""
