"""Kernels and their initrds."""
