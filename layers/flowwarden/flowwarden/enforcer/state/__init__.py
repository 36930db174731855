"""Observed and desired state: inventory, interface activity, the desired flow log. Pure."""
