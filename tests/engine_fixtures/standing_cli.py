"""The command line, standing still in a stage where a test wants to press ctrl+c.

Run as ``python -m tests.engine_fixtures.standing_cli PLACE ARGUMENT…``: PLACE as for
``other_process``, the arguments are the command line's own. ``here`` is printed at the place.
"""

from __future__ import annotations

import sys

from banger_tui.cli.main import main
from tests.engine_fixtures.other_process import arrange

if __name__ == "__main__":
    arrange(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
