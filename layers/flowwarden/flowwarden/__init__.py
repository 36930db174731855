"""Flow Warden: watches VPC Flow Logs and keeps them switched on.

The core (`records`, `network`, `detection`, `alerting`, `compliance`) does no I/O and reads neither
clock nor environment. `services` orchestrates it over the `ports`; `aws` implements the ports.
"""
