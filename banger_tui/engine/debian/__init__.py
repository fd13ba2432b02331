"""What comes out of Debian's packages: sources, downloads, ELF facts."""
