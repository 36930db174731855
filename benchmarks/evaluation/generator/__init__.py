"""Labeled traffic in the form of VPC Flow Logs. Independent of all detectors and their thresholds."""
