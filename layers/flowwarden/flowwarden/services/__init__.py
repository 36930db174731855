"""Orchestration of the core over the ports. No boto3, no clock, no environment."""
