"""Sets up everything Plantroom needs in .venv and then starts it, tests it, or stops there.

    python3 installer/bootstrap.py demo|test|setup|run ARGS...

This file keeps to words that an old Python understands too, so that it can say what is missing.
"""

import sys

NEEDED = (3, 11)


def main() -> int:
    """Check the interpreter, then hand over to the modules that may use today's Python."""
    if sys.version_info < NEEDED:
        sys.stderr.write(
            "Plantroom needs Python 3.11 or newer; this is %d.%d. Install a newer Python (on "
            "Debian and Ubuntu: apt-get install python3) and run this command with it, for "
            "example: python3.12 installer/bootstrap.py demo\n" % sys.version_info[:2]
        )
        return 3
    from actions import run_action

    return run_action(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
