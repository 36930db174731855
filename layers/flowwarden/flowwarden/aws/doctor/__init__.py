"""Reads an installation for the doctor: one file for each service, with the credentials of the caller."""
