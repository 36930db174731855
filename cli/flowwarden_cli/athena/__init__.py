"""Generates SQL for Amazon Athena: the table of an archive, and queries that approximate detectors. Pure."""
