"""Proofs that both functions keep their invariants under every kind of fault, and a load run with faults."""
