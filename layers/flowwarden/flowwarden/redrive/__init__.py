"""Redrive: sends what lies in the failure queues to its function again."""
