"""EC2: flow logs, network interfaces and log formats."""
