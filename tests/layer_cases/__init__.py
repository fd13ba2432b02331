"""A table of image layers, valid and hostile, each with what must become of it."""
