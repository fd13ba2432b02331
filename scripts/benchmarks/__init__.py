"""What ``make bench`` measures: one subject a file, each against a floor in the same run."""
