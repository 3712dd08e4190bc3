"""Evaluation on a Ray cluster; `evogen.distributed.workers` is the only module that imports ray."""
