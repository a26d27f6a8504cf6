"""Rated usage comes in, in requests and files, and is billed with the next invoice, however late it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.invoicing.files.domain.broken_lines import refuse_broken_file_lines
from services.invoicing.files.domain.file_layouts import ParsedFileLines
from services.invoicing.files.repository import ReceivedUploadedFile, read_unpacked_file_lines
from services.invoicing.usage import repository as usage_repository
from services.invoicing.usage.domain.usage_file import UsageLineReader
from services.invoicing.usage.domain.usage_lines import UsageLine, refuse_flawed_usage_lines
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit


@dataclass(frozen=True, slots=True)
class UsageSource:
    """Where lines come from: each is known by its source and id; and the currency of their unit costs."""

    source: str
    currency: str


@dataclass(frozen=True, slots=True)
class RecordedUsageCounts:
    """How many lines were new, and how many were known, so that they changed nothing."""

    new: int
    unchanged: int


async def record_usage_lines(unit: Unit, origin: UsageSource, lines: Iterator[UsageLine]) -> RecordedUsageCounts:
    """Take the lines of a source that are not known yet, all or none. Raises UsageRefused."""
    await usage_repository.stage_usage_lines(unit, lines)
    return await _charge(unit, origin, "lines")


async def record_usage_file(unit: Unit, origin: UsageSource, file: ReceivedUploadedFile) -> RecordedUsageCounts:
    """Take the lines of a file, all or none. Raises UploadedFileLinesBroken, UsageRefused."""
    lines = ParsedFileLines(file.layout, UsageLineReader(origin.currency))
    await usage_repository.stage_usage_lines(unit, lines.parse_raw_file_lines(read_unpacked_file_lines(file.content)))
    refuse_broken_file_lines(lines.broken)
    return await _charge(unit, origin, "line")


async def _charge(unit: Unit, origin: UsageSource, place: str) -> RecordedUsageCounts:
    refuse_flawed_usage_lines(await usage_repository.rate_staged_usage(unit, origin.currency), place)
    new, came = await usage_repository.insert_rated_usage_lines(unit, origin.source)
    if new:
        unit.record(AuditedChange("usage_source", origin.source))
    else:
        unit.record_nothing()
    return RecordedUsageCounts(new, came - new)
