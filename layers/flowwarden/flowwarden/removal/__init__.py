"""Removes an installation: what the stack changed in the account, then the stack itself."""
