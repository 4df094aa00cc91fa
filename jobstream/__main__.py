"""`python -m jobstream`: the `jobstream` command, where that is not on the path."""

from jobstream.cli import main

if __name__ == "__main__":
    main()
