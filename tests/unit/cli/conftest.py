"""The command line within this process, on the fake driver."""

from __future__ import annotations

from tests.unit.test_cli_commands import cli, driver

__all__ = ["cli", "driver"]
