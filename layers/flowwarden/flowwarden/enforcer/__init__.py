"""The enforcer: compares every VPC with the flow log that the policy wants, and repairs differences."""
