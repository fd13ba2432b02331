"""Virtual machines: one verb a file, on one table of states."""
