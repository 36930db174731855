"""The cost of a sweep over a thousand VPCs, and the results of other tools on the same account."""
