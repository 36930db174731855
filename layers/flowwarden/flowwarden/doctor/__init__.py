"""The doctor: checks whether an installed stack works, and prints a fix for each problem."""
