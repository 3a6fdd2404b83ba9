"""The one error that a user may meet: the input is at fault, and the message says what to do about it."""

from pathlib import Path


class InputError(ValueError):
    """Bad input from a user. ``str(error)`` is one line, fit to be shown as it is."""


class NobodyFound(InputError):
    """No person was found in the photo; a pose placed by hand is the way on."""


class HubUnreachable(InputError):
    """Optional weights could not be fetched; the shipped analyzer goes on working."""


def named(path: Path, message: str) -> str:
    """A message with the name of the file that it is about in front, unless it is there already."""
    return message if path.name in message else f"{path.name}: {message}"
