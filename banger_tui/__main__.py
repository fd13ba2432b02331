"""Where ``banger-tui`` and ``python -m banger_tui`` begin.

Without arguments the app opens; with arguments the scriptable face answers. Neither is imported
before it is known which one is wanted.
"""

from __future__ import annotations

import sys

from banger_tui import startup


def main() -> int:
    """Run the program and return its exit code."""
    startup.begin()
    try:
        if len(sys.argv) > 1:
            from banger_tui.cli.main import main as command_line

            return command_line(sys.argv[1:])
        if not (sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
            from banger_tui.cli.main import no_terminal

            return no_terminal()
        return _app()
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  # a person gets an error, never a traceback
        from banger_tui.cli.main import told
        from banger_tui.cli.output import Output

        return told(error, Output())


def _app() -> int:
    from banger_tui.app import run
    from banger_tui.engine.paths import Paths

    code: int = run(Paths.from_environment())
    return code


if __name__ == "__main__":
    sys.exit(main())
