"""The monitor: batches of flow records become findings, alerts and notifications."""
