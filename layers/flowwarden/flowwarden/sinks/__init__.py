"""Receivers of notifications, one file each: formats and limits of the service. AWS calls are in `aws/`."""
