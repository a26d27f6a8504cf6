"""Broken lines of a file, by number and column; the file is taken wholly or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from shared.pure.errors import Refusal

MOST_REPORTED = 20
"""So many broken lines are told; whoever reads them mends the file's cause, not its lines."""


@dataclass(frozen=True, slots=True)
class BrokenFileLine:
    """Flaw of a line: its number in the file (the first is 1), the column, and in words."""

    line: int
    column: str | None
    message: str

    def build_line_problem_error(self) -> dict[str, str]:
        """As a problem document names it."""
        return {
            "field": f"line.{self.line}.{self.column}" if self.column else f"line.{self.line}",
            "message": self.message,
        }


class FileLineUnreadable(ValueError):
    """A line cannot be read."""

    def __init__(self, column: str | None, message: str) -> None:
        super().__init__(message)
        self.column = column


class UploadedFileLinesBroken(Refusal):
    """Lines of the file are broken: it is taken wholly or not at all."""

    code: ClassVar[str] = "file_refused"
    status: ClassVar[int] = 422


def refuse_broken_file_lines(broken: Iterable[BrokenFileLine]) -> None:
    """Raises UploadedFileLinesBroken, with the lines and columns."""
    reported_lines = list(broken)[:MOST_REPORTED]
    if reported_lines:
        errors = [broken_line.build_line_problem_error() for broken_line in reported_lines]
        raise UploadedFileLinesBroken(f"line {reported_lines[0].line}: {reported_lines[0].message}", errors=errors)
