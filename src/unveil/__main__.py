"""The command `unveil`, which is also `python -m unveil`."""

from __future__ import annotations

import os
import sys


def run() -> None:
    """Run the command line; who stops it while it still starts sees no traceback either."""
    if sys.stderr is None:  # closed, as `2>&-` does
        # Kept open to the end; without it the next file that is opened would get what is printed.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        from unveil.cli import main
    except KeyboardInterrupt:
        print("unveil: stopped", file=sys.stderr)
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
