"""Evaluation on a Ray cluster; only this package imports ray."""
