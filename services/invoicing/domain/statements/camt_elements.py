"""Texts of the elements of a camt.053 document."""

from xml.etree.ElementTree import Element


def first_text(element: Element, *paths: str) -> str:
    """Get the text at the first of these paths that has any."""
    return next((text for path in paths if (text := (element.findtext(path) or "").strip())), "")


def join_texts(element: Element, *paths: str) -> str:
    """Join the texts at these paths."""
    texts = ((one.text or "").strip() for path in paths for one in element.iterfind(path))
    return " ".join(text for text in texts if text)


def join_texts_of(about: list[Element], *paths: str) -> str:
    """Join the texts of these elements at these paths."""
    return " ".join(text for one in about if (text := join_texts(one, *paths)))
