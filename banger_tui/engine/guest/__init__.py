"""What runs inside a VM: the guest kit, its keys and its boot configuration."""
