"""Subjects of tokens: who acts, written in one way."""

import re
import unicodedata

MAX_SUBJECT_CHARS = 255
_BLANKS = re.compile(" {2,}")


def fold_actor_name(text: str) -> str:
    """Fold what an actor is called: Unicode's NFKC, no case, no blanks around it, one within.

    What is folded stays as it is.
    """
    folded = text
    while (again := _fold_once(folded)) != folded:
        folded = again
    return folded


def _fold_once(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _BLANKS.sub(" ", folded.strip())
