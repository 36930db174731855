"""Which rule rejected a connection: looked up in EC2 when a page about it is sent."""
