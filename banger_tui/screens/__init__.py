"""One screen a file, named as on screen."""
