"""What stops an import: an unusable profile, an unusable file, a row that cannot be read.

Owns these types. Texts name places and rules, never the value that was found there.
"""


class ProfileError(ValueError):
    """A profile with an error, or options that do not fit it. ``name`` is the profile's."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"profile {name}: {reason}")
        self.name = name
        self.reason = reason


class FileRefusedError(ValueError):
    """A file of which nothing was read, because reading part of it could be wrong."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


class RowRefusedError(ValueError):
    """One row that cannot be read; the others can. ``field`` is ours, not the file's column."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class DateOrderError(ValueError):
    """A date that proves the declared order of day, month and year wrong for the whole file."""
