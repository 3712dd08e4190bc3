"""Genetic rules from data: which gene pairs wire synapses (nDGE), worm tables, and expression by lineage.

numpy and scipy only. Worm data stay where their owners put them: `worm` reads the optional extra's files.
"""
