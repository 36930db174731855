"""Rules: evaluates security groups and network ACLs for one connection."""
