"""`python -m controlplane.cli` is the `callplane` command."""

from controlplane.cli.main import main

if __name__ == "__main__":
    main()
