"""`python -m evogen` is `evogen`."""

from evogen.cli import main

main()
