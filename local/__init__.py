"""The embedded AWS: start it, deploy the template to it, feed it, show what comes out.

No real AWS is touched, whatever the caller's environment holds.
"""
