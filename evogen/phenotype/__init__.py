"""Phenotypes: from genomes to the batched torch network of a whole cohort."""

from evogen.phenotype.develop import Embryo, develop, embryo
from evogen.phenotype.development import Development
from evogen.phenotype.layout import Layout
from evogen.phenotype.network import Network, State
from evogen.phenotype.phenotype import Phenotype

__all__ = ["Development", "Embryo", "Layout", "Network", "Phenotype", "State", "develop", "embryo"]
