"""The lines of a reconciliation file, with what they add up to."""

from collections.abc import Iterable, Iterator

from services.invoicing.files.domain.broken_lines import BrokenFileLine
from services.invoicing.files.domain.file_layouts import ParsedFileLines, UploadedFileLayout
from services.invoicing.vendor_costs.domain.vendor_line import VendorFileLine, VendorFileLineReader


class VendorFileLines:
    """The lines of one file as far as they can be read; sums are minor units, the total with tax."""

    def __init__(self, layout: UploadedFileLayout, currency: str) -> None:
        self.count = 0
        self.total_minor = 0
        self.tax_minor = 0
        self._lines = ParsedFileLines(layout, VendorFileLineReader(currency))

    @property
    def broken_lines(self) -> list[BrokenFileLine]:
        """Broken lines; whatever follows the first of them is not read."""
        return self._lines.broken

    def read_vendor_lines(self, raw: Iterable[bytes]) -> Iterator[VendorFileLine]:
        """The lines of the file's raw lines."""
        for line in self._lines.parse_raw_file_lines(raw):
            self.count += 1
            self.total_minor += line.total_minor
            self.tax_minor += line.tax_minor
            yield line
