"""What is computed from stored runs: statistics, screens, lineages, portraits."""
