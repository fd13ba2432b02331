"""What runs a VM: one Protocol, several drivers."""
