"""Images and kernels that can be had by name."""
