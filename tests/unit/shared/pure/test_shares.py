"""An amount is allocated in order: nothing is lost, no limit is exceeded, and nobody is served out of turn."""

from hypothesis import given
from hypothesis import strategies as st

from shared.pure.shares import allocate_in_order

amounts = st.integers(min_value=0, max_value=10**12)
all_limits = st.lists(st.integers(min_value=-(10**6), max_value=10**12), max_size=12)


@given(amounts, all_limits)
def test_shares_add_up_to_the_amount_or_to_all_limits(amount: int, limits: list[int]) -> None:
    assert sum(allocate_in_order(amount, limits)) == min(amount, sum(max(limit, 0) for limit in limits))


@given(amounts, all_limits)
def test_no_share_is_above_its_limit(amount: int, limits: list[int]) -> None:
    shares = allocate_in_order(amount, iter(limits))
    assert all(0 <= share <= max(limit, 0) for share, limit in zip(shares, limits, strict=True))


@given(amounts, all_limits)
def test_a_place_has_a_share_only_if_all_before_it_are_full(amount: int, limits: list[int]) -> None:
    shares = allocate_in_order(amount, limits)
    last = max((place for place, share in enumerate(shares) if share), default=0)
    assert shares[:last] == [max(limit, 0) for limit in limits[:last]]


@given(st.integers(max_value=0), all_limits)
def test_nothing_is_allocated_of_nothing(amount: int, limits: list[int]) -> None:
    assert allocate_in_order(amount, limits) == [0] * len(limits)
