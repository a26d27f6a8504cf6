"""Texts of the elements of a camt.053 document.

Entries are read by these instead of ElementTree's own paths, which take several times as long.
"""

from functools import lru_cache
from xml.etree.ElementTree import Element


@lru_cache
def _tags(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def find_xml_elements(element: Element, path: str) -> list[Element]:
    """Find the elements at a path of tags."""
    elements = [element]
    for tag in _tags(path):
        elements = [child for parent in elements for child in parent if child.tag == tag]
        if not elements:
            break
    return elements


def find_first_xml_text(element: Element, *paths: str) -> str:
    """Get the text of the first element at the first of these paths that has any."""
    for path in paths:
        for child in find_xml_elements(element, path)[:1]:
            if text := (child.text or "").strip():
                return text
    return ""


def join_xml_texts(element: Element, *paths: str) -> str:
    """Join the texts at these paths."""
    texts = [(child.text or "").strip() for path in paths for child in find_xml_elements(element, path)]
    return " ".join(text for text in texts if text)


def join_texts_of_elements(parts: list[Element], *paths: str) -> str:
    """Join the texts of these elements at these paths."""
    return " ".join(text for part in parts if (text := join_xml_texts(part, *paths)))
