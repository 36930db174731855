"""Flow Warden: watches VPC Flow Logs and keeps them switched on.

Two products, `monitor` and `enforcer`, never import each other. Both are built on `records`, `network`,
`policy`, `state` and `notify`, which do no I/O and read neither clock nor environment. `aws` implements the
products' ports, `sources` reads archives, and `bootstrap` connects them.
"""
