"""Tables of examples for `evogen.tasks.table`: reading, choosing columns, cutting into folds, scaling."""
