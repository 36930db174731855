"""The dispatcher: sends what stayed pending, and resolves incidents that are over."""
