"""Variation: new genomes from keys and from parents; one file a chromosome, operators are pure functions."""
