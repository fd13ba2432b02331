"""banger-tui: microVMs as easy to live with as files."""

__version__ = "0.1.0"
