"""The user's policy: the document, detection thresholds, flow log settings."""
