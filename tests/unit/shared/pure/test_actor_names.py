"""Two ways of writing one actor are one."""

import pytest

from shared.pure.actor_names import fold_actor_name


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Ada   Lovelace ", "ada lovelace"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁnance", "finance"),
        ("Ａｄａ", "ada"),
        ("ada\u3000\u3000b", "ada b"),
        ("", ""),
    ],
)
def test_an_actor_is_folded(text: str, folded: str) -> None:
    assert fold_actor_name(text) == folded
    assert fold_actor_name(folded) == folded
