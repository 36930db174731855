"""Labelled traffic as VPC Flow Logs would write it. Knows nothing of any detector, nor of its thresholds."""
