"""What Flow Warden costs: counted calls, one table of prices, and docs/cost.md."""
