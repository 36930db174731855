"""Wiring: settings become services on ports; a module for each function, which loads its own code alone."""
