"""A policy's YAML says everything where it stands: nothing refers, merges or hides, and none is too large."""

import time

import pytest

from services.collections.domain.plain_yaml import MAX_DEPTH, MAX_NODES, YamlRefused, parse_plain_yaml
from services.collections.domain.policy import PolicyDocumentRefused, parse_collection_policy

BOMB = "".join(
    f"k{level}: &k{level} [{', '.join([f'*k{level - 1}'] * 9) if level else 'x, x, x'}]\n" for level in range(9)
)
"""Nine lists of nine references each: 3 * 9^8 values."""


def refusal(text: str) -> YamlRefused:
    """Why a document is refused."""
    with pytest.raises(YamlRefused) as refused:
        parse_plain_yaml(text)
    return refused.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\nb: *x\n", "anchors are not taken at line 1"),
        ("a: 1\nb: *x\n", "aliases are not taken at line 2"),
        ("a: 1\n<<: {b: 2}\n", "merge keys are not taken at line 2"),
        ("a: {<<: [{b: 2}, {b: 3}]}\n", "merge keys are not taken at line 1"),
        ("a: !!str 1\n", "tags are not taken at line 1"),
        ("a: !!python/name:os.system x\n", "tags are not taken"),
        ("a: !own {b: 1}\n", "tags are not taken"),
        ("? [a, b]\n: 1\n", "a key that is no text"),
        ("a: 1\nb: 2\na: 3\n", "stands 2 times"),
        ("a: {b: {c: 1, c: 2}}\n", "stands 2 times"),
        ("a: 1\n--- {b: 2}\n", "not readable as YAML"),
        ("- a\n- b\n", "must be a mapping"),
        (f"a: {'x' * 201}\n", "more than 200 characters"),
        (f"a: {'1' + ':59' * 70}\n", "more than 200 characters"),
        (f"a: {'[' * MAX_DEPTH}{']' * MAX_DEPTH}\n", "nested deeper than 8"),
        (f"a: [{'0, ' * MAX_NODES}0]\n", "more than 2000 keys and values"),
        ("a: 1\n#" + "x" * 64_000, "longer than 64000 characters"),
        ("a: \x07\n", "not readable as YAML"),
    ],
)
def test_what_is_not_plain_is_refused_where_it_stands(text: str, message: str) -> None:
    assert message in refusal(text).message


def test_plain_yaml_is_read() -> None:
    assert parse_plain_yaml('a: [1, {b: "<<"}]\nc: "&x *y"\n') == {"a": [1, {"b": "<<"}], "c": "&x *y"}


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: " + "[" * 60_000,
        "- " * 30_000,
        "? " * 30_000,
        "a: " + "{b: " * 15_000,
        "a: 1" + ":59" * 20_000,
        "a: 0x" + "f" * 60_000,
        "a: [" + "x, " * 20_000,
        "".join(f"k{index}: 1\n" for index in range(7_000)),
    ],
    ids=["aliases", "lists", "dashes", "keys", "mappings", "sixties", "hex", "items", "fields"],
)
def test_no_document_takes_long_to_refuse(text: str) -> None:
    assert len(text) < 64_000
    assert min(measure_refusal(text) for _ in range(3)) < 1.0


def measure_refusal(text: str) -> float:
    """Measure the seconds of CPU that a refusal takes; of several the least, which a busy machine slows least."""
    begun = time.process_time()
    with pytest.raises(PolicyDocumentRefused):
        parse_collection_policy(text)
    return time.process_time() - begun


def test_the_largest_policy_fits_the_bounds() -> None:
    steps = "".join(
        f'  - {{name: step_{index}, day: {index + 1}, at: "09:00", action: notice, template: final_notice}}\n'
        for index in range(49)
    )
    requires = ", ".join(f"{{notice: step_{index}, days_before: 1}}" for index in range(48))
    last = f'  - {{name: suspend, day: 60, at: "09:00", action: suspend, requires: [{requires}]}}\n'
    guard = "guard: {suspensions_per_hour: 1, share_of_accounts_percent: 1}\n"
    assert len(parse_collection_policy(f"name: largest\nsteps:\n{steps}{last}{guard}").steps) == 50


def test_a_refusal_has_its_message() -> None:
    refused = YamlRefused("steps", "is written twice")
    assert (str(refused), refused.field, refused.message) == ("is written twice", "steps", "is written twice")
