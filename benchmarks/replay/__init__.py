"""The speed and the memory of `flowwarden replay` on seeded traffic."""
