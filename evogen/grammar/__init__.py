"""Grammars: what a gene's codons may say; `modules` turns a genome's genes into a Plan."""

from evogen.grammar.derivation import CODONS, Node, Number, derive, grow
from evogen.grammar.model import Grammar, Word
from evogen.grammar.reader import load, parse

__all__ = ["CODONS", "Grammar", "Node", "Number", "Word", "derive", "grow", "load", "parse"]
