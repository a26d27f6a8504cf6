"""A refusal carries what the problem document says."""

from shared.pure.errors import Refusal


def test_a_refusal_has_its_detail_and_members() -> None:
    refusal = Refusal("too late", until="2026-04-01")
    assert (str(refusal), refusal.detail, refusal.more) == ("too late", "too late", {"until": "2026-04-01"})
