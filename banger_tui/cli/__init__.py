"""The scriptable face: tables for people, ``--json`` for programs, the same engine as the app."""
