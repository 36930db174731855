"""Wiring: builds the services on their ports. One module per function, so each loads only its own code."""
