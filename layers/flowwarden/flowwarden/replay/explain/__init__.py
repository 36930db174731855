"""Explanations: why a record was flagged or not, and what an incident rests on, by a replay."""
