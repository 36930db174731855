"""The enforcer: every VPC is compared with the flow log that policy wants, and repaired."""
