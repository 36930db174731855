"""The AWS emulator: starts it, deploys the template to it, writes flow records, and shows the notifications.

No real AWS account is used, whatever the caller's environment contains.
"""
