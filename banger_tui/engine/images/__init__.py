"""Root filesystems: built, kept and given to VMs."""
