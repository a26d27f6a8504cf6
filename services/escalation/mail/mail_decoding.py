"""Texts of mails that others wrote: decoded whatever they say of themselves, and shown as plain text."""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from lxml import etree

from shared.pure.hidden_characters import normalise_line_breaks, remove_hidden_characters

MAX_HTML_CHARS = 256 * 1024
MAX_LINE_CHARS = 200
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw-unicode-escape", "unicode-escape", "undefined"})
"""Text encodings of Python that no mail is in, and that are slow or read escapes."""
_BREAKS = frozenset(
    {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "ul", "ol", "hr"}
)
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg"})


def decode_mail_bytes(content: bytes, charset: str | None) -> str:
    """Decode a text by the charset that it names, else as UTF-8, else byte by byte."""
    for name in (charset, "utf-8"):
        try:
            if name and codecs.lookup(name).name not in _NO_CHARSETS:
                return content.decode(name)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def decode_header_value(text: str) -> str:
    """Decode a header with encoded words (RFC 2047), or with bytes that no header may have."""
    try:
        chunks = decode_header(text)
    except (HeaderParseError, ValueError):
        chunks = [(text, None)]
    return "".join(
        decode_mail_bytes(chunk if isinstance(chunk, bytes) else chunk.encode("utf-8", "surrogateescape"), charset)
        for chunk, charset in chunks
    )


def clean_mail_line(text: str) -> str:
    """Write a text of others on one line, of which everything can be seen."""
    return remove_hidden_characters(" ".join(normalise_line_breaks(text).split()))[:MAX_LINE_CHARS].strip()


def clean_mail_text(text: str) -> str:
    """Write a text of others so that everything of it can be seen."""
    lines = [line.rstrip() for line in remove_hidden_characters(normalise_line_breaks(text)).split("\n")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip()


def convert_html_mail(html: str) -> str:
    """Convert HTML to the text that it shows; nothing is loaded, and nothing runs."""
    reader = _ShownText()
    parser = etree.HTMLParser(target=reader, no_network=True, recover=True)
    try:
        parser.feed(html[:MAX_HTML_CHARS])
        parser.close()
    except etree.LxmlError:
        return "".join(reader.pieces)  # what came before it
    return "".join(reader.pieces)


class _ShownText:
    """Text of HTML as it is shown, taken while it is parsed: no tree is built, so that no nesting costs anything."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._unseen_depth = 0

    def start(self, tag: str, _: object) -> None:
        """Begin a line where a block begins, and keep nothing of what is not shown."""
        self._unseen_depth += tag in _UNSEEN
        if tag in _BREAKS:
            self.pieces.append("\n")

    def end(self, tag: str) -> None:
        """End a block, or what is not shown."""
        self._unseen_depth -= tag in _UNSEEN
        if tag in _BREAKS and tag != "br":
            self.pieces.append("\n")

    def data(self, text: str) -> None:
        """Keep a text, with its blanks as HTML shows them."""
        if not self._unseen_depth:
            self.pieces.append(re.sub(r"\s+", " ", text))

    def close(self) -> None:
        """Do nothing: the pieces are whole."""
