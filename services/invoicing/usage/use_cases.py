"""Rated usage comes in, in requests and files, and is billed with the next invoice, however late it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.invoicing.files.domain.broken_lines import check_unbroken
from services.invoicing.files.domain.file_layouts import FileLines
from services.invoicing.files.repository import ReceivedFile, raw_lines
from services.invoicing.usage import repository as usage_repository
from services.invoicing.usage.domain.usage_file import Reader
from services.invoicing.usage.domain.usage_lines import UsageLine, check_right
from shared.persistence.audit import Change
from shared.persistence.database import Unit


@dataclass(frozen=True, slots=True)
class Origin:
    """Where lines come from: each is known by its source and id; and the currency of their unit costs."""

    source: str
    currency: str


@dataclass(frozen=True, slots=True)
class Taken:
    """How many lines were new, and how many were known, so that they changed nothing."""

    new: int
    known: int


async def take(unit: Unit, origin: Origin, lines: Iterator[UsageLine]) -> Taken:
    """Take the lines of a source that are not known yet, all or none. Raises UsageRefused."""
    await usage_repository.bring_in(unit, lines)
    return await _charge(unit, origin, "lines")


async def take_file(unit: Unit, origin: Origin, file: ReceivedFile) -> Taken:
    """The same for the lines of a file. Raises FileRefused, UsageRefused."""
    lines = FileLines(file.layout, Reader(origin.currency))
    await usage_repository.bring_in(unit, lines.read(raw_lines(file.content)))
    check_unbroken(lines.broken)
    return await _charge(unit, origin, "line")


async def _charge(unit: Unit, origin: Origin, place: str) -> Taken:
    check_right(await usage_repository.rate(unit, origin.currency), place)
    new, came = await usage_repository.add(unit, origin.source)
    if new:
        unit.record(Change("usage_source", origin.source))
    else:
        unit.record_nothing()
    return Taken(new, came - new)
