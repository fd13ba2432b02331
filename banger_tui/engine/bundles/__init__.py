"""Bundles: a finished root filesystem, what is known about it and maybe its kernel, as one file.

A bundle is a tar of these members, in this order, in one zstd frame::

    manifest.json          what it is, and the digest and size of all that follows (manifest.py)
    rootfs.ext4            the raw filesystem, its holes kept (PAX sparse format 1.0)
    kernel/vmlinuz         a kernel with all that belongs to it, or nothing of this
    kernel/vmlinux
    kernel/initrd.img
    kernel/manifest.json
    kernel/modules/*.ko

``tar --zstd -xf`` restores it too. Behind the frame stands the SHA-256 of the file up to there, in
a skippable frame that other programs pass over (frame.py): so every flipped bit is found, also
where nobody knows the file's own digest.
"""
