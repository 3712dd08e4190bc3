"""Protections: what keeps a learner of stages from forgetting, one file each.

A protection is a frozen dataclass registered under the kind `protection`, with the two methods of
`evogen.learning.stages.Protection`: `keep` is called after every stage, and `guard` gives the penalty that
the passes of later stages pay. Its weight, `strength`, is a number of the learner and can be a gene.
"""
