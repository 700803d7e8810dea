"""`python -m giqa.cli` is `giqa`."""

from . import main

if __name__ == "__main__":
    main()
