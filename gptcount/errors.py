"""The one family of errors that gptcount raises on purpose, and how text from outside is shown in a line."""


class GptCountError(Exception):
    """Base of every error that gptcount raises on purpose; its text is one clear line a fault, for a person."""


class InputError(GptCountError):
    """A source, a key or a value that cannot be used; the text names it and the way out."""


class ShapeError(GptCountError):
    """What the forward pass does and what the inventory stores disagree; the text names the weight and the words."""


def printable(text: str) -> str:
    """Text with its unprintable characters escaped: those that steer a terminal, turn the line or hide in it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(value: object, most: int = 80) -> str:
    """Text from outside, safe to show: unprintable characters escaped, a long text cut with an ellipsis."""
    text = value if isinstance(value, str) else _repr(value)
    if len(text) <= most and text.isprintable():
        return text
    text = printable(text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def _repr(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; data nested thousands deep
        return "a value too long to show"
