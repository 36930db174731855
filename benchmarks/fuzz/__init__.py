"""A fuzzer for all untrusted input of the project; the same seed gives the same inputs."""
