"""The command `unveil`, which is also `python -m unveil`."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line; who stops it while it still starts sees no traceback either."""
    try:
        from unveil.cli import main
    except KeyboardInterrupt:
        print("unveil: stopped", file=sys.stderr)
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
