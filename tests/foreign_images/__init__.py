"""Images of other make, as layers: no init, no ssh server, some without even a shell."""
