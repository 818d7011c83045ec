"""`python -m codecs_core.cli`."""

from codecs_core.cli import main

if __name__ == "__main__":
    main()
