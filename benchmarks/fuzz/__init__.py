"""A fuzzer of everything that the project reads from outside; every run with a seed has the same inputs."""
