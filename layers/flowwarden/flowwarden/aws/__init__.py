"""Adapters for AWS, one file per service. The only package that imports boto3."""
