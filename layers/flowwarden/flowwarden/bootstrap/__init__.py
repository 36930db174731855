"""Wiring: builds services on ports from settings; one module per function, to load only its own code."""
