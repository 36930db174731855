"""The monitor: turns batches of flow records into findings, alerts and notifications."""
