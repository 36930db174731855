"""The benchmark: what reading a payload costs, held against the least it could cost and against others."""
