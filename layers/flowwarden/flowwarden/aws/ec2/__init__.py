"""EC2: flow logs, network interfaces, log formats, and one describer for all of them."""
