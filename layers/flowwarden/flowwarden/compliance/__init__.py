"""The flow log that policy wants, what a VPC has, and the plan between the two. Pure; no I/O."""
