"""What differs between two genomes, part by part, and how to make one of the other.

    apply(diff(a, b), a) == b                       bit for bit, gene orders included
    apply([difference.inverse()], b)                b without this one difference

Parts are aligned by identity: rows and columns of the rules by rule gene, modules by innovation id,
plasticity by name. Every entry belongs to one difference only, so that none is counted twice.
"""

from evogen.diff.apply import apply
from evogen.diff.difference import Difference, Kind, What
from evogen.diff.find import diff
from evogen.diff.patch import Patch, dumped, load

__all__ = ["Difference", "Kind", "Patch", "What", "apply", "diff", "dumped", "load"]
