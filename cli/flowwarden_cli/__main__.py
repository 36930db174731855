"""`python -m flowwarden_cli` is the `flowwarden` command."""

import sys

from flowwarden_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
