"""``python -m gptcount``: the same as the command ``gptcount``, in any folder."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the working directory, which -m puts before the library: a numpy.py in it is not ours to run

from gptcount.cli import main

if __name__ == "__main__":
    main()
