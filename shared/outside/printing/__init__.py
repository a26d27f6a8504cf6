"""Paper from HTML: PDF is made in processes of its own, never in the event loop and never within a transaction."""

from shared.outside.printing.printer import DocumentNotPrinted, DocumentPrinter

__all__ = ["DocumentNotPrinted", "DocumentPrinter"]
