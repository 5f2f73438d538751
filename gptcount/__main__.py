"""The command ``gptcount``, and ``python -m gptcount``: whoever interrupts it is heard from the first import on."""

import signal
import sys
from typing import NoReturn

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the working directory, which -m puts before the library: a numpy.py in it is not ours to run

INTERRUPTED = 130


def main() -> None:
    """The program; an interrupt ends it in silence, whatever a library makes of it."""
    interrupts: list[int] = []

    def interrupt(number: int, _: object) -> NoReturn:
        interrupts.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        from gptcount.cli import main as run

        run()
    except Exception:
        if not interrupts:
            raise
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
