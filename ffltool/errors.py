"""What a user can mend: errors that become one line on the terminal and an exit status."""


class FfltoolError(Exception):
    """Root of all errors that ffltool raises on purpose."""

    status = 2


class InputError(FfltoolError):
    """A file, folder, option or name that cannot be used as given."""


class BrokenImageError(InputError):
    """An image file that is damaged, empty, gone, or no image."""


class DivergedError(InputError):
    """A training whose loss or weights are no longer finite."""


class ShapeError(FfltoolError):
    """Arrays whose shapes do not fit the formula."""


class WeightsError(FfltoolError):
    """A weight file that is missing, damaged, out of reach, or not what it is called."""


class MissingWeightsError(WeightsError):
    """A weight file that is not on this machine."""


class NothingComparedError(FfltoolError):
    """A run that came to its end without one comparison."""

    status = 3


def printable(text: str) -> str:
    r"""Return the text with everything that is not printable written as an escape, so that it stays on one line.

    >>> print(printable("two\nlines"))
    two\nlines
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
