"""The sections on a search: its course, its candidates, where they come from and where the time went."""
