"""The enforcer: compares every VPC with the flow log that the policy requires, and repairs differences."""
