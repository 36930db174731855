"""The AWS emulator: start it, deploy the template to it, write flow records, show the notifications.

No real AWS account is used, whatever the caller's environment contains.
"""
