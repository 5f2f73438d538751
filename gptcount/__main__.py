"""``python -m gptcount``: the same as the command ``gptcount``."""

from gptcount.cli import main

if __name__ == "__main__":
    main()
