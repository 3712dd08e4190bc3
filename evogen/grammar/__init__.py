"""Grammars: what a gene's codons may say; `modules` turns a genome's genes into a Plan."""

from evogen.grammar.derivation import CODONS, Leaf, Node, Number, Pick, derive, grow
from evogen.grammar.model import Grammar, Word
from evogen.grammar.reader import load, parse
from evogen.grammar.sentence import sentence

__all__ = [
    "CODONS",
    "Grammar",
    "Leaf",
    "Node",
    "Number",
    "Pick",
    "Word",
    "derive",
    "grow",
    "load",
    "parse",
    "sentence",
]
