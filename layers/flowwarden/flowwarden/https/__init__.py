"""HTTPS requests to services outside AWS: bounded in time and size, and only to public addresses."""
