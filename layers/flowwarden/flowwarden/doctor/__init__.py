"""The doctor: checks whether an installed stack works, and says how to fix what does not."""
