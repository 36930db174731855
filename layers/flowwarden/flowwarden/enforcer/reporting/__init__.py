"""Reports what a run found and did, as text, as JSON and as a notification to operations. Pure."""
