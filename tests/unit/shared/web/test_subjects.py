"""A token's subject is normalised: spellings that people take for one name are one actor, and no name is unseen."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.invoicing import reconcile
from shared import redrive
from shared.pure.actor_names import fold_actor_name
from shared.web.auth import RequestNotAuthenticated, is_same_actor, normalise_token_subject


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        ("anna@gs.example", "anna@gs.example"),
        ("Anna@GS.example", "anna@gs.example"),
        ("  anna@gs.example ", "anna@gs.example"),
        ("\u00a0anna\u3000", "anna"),
        ("ａｎｎａ", "anna"),
        ("Groß", "gross"),
        ("GROSS", "gross"),
        ("Rene\u0301", "rené"),
        ("RENÉ", "rené"),
        ("ﬁnance", "finance"),
        ("anna maria", "anna maria"),
        ("anna  maria", "anna maria"),
        ("Anna \u00a0\u3000Maria", "anna maria"),
        ("service:collections", "service:collections"),
        ("李", "李"),
        ("x" * 255, "x" * 255),
    ],
)
def test_how_somebody_is_known(written: str, known_as: str) -> None:
    assert normalise_token_subject(written) == known_as


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "\u00a0",
        "x" * 256,
        "\ufdfa" * 20,  # 360 characters once it is normalised
        "anna\x00",
        "anna\t",
        "\nanna",
        "an\x7fna",
        "an\u00adna",
        "an\u200bna",
        "anna\u200d",
        "\ufeffanna",
        "\u202eanna",
        "anna\u2028",
        "an\u034fna",
        "anna\ufe0f",
        "\u3164",
        "an\u2800na",
        "an\ue000na",
        "anna\ud800",
        "anna\U000e0101",
        "anna\U000e0061",
    ],
)
def test_who_is_nobody(written: str) -> None:
    with pytest.raises(RequestNotAuthenticated):
        normalise_token_subject(written)


@given(st.text(max_size=300))
def test_what_is_normalised_is_seen_bounded_and_stays(written: str) -> None:
    try:
        known_as = normalise_token_subject(written)
    except RequestNotAuthenticated:
        return
    assert 0 < len(known_as) <= 255
    assert known_as == known_as.strip() == unicodedata.normalize("NFKC", known_as) == known_as.casefold()
    assert normalise_token_subject(known_as) == known_as
    assert not {unicodedata.category(character) for character in known_as} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.sampled_from(["", " ", "\u2003", "  "]))
def test_spellings_of_one_name_are_one_actor(name: str, form: str, blank: str) -> None:
    other = blank + unicodedata.normalize(form, name) + blank  # type: ignore[arg-type]
    assert is_same_actor(name, other)
    assert is_same_actor(other, name.casefold())
    assert fold_actor_name(other) == fold_actor_name(name) == fold_actor_name(fold_actor_name(name))


@given(st.text(alphabet="ab @.", min_size=1), st.text(alphabet="ab @.", min_size=1))
def test_others_stay_others(name: str, other: str) -> None:
    assume(name.split() != other.split())
    assert not is_same_actor(name, other)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(redrive.main, ["collections"]), (reconcile.main, ["march.csv", "--invoice", "G-1"])],
    ids=["redrive", "reconcile"],
)
def test_a_command_refuses_an_actor_that_nobody_sees(
    command: Callable[..., None], arguments: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "march.csv"
    file.touch()
    sent = [str(file) if argument == "march.csv" else argument for argument in arguments]
    app = typer.Typer()
    app.command()(command)
    answer = CliRunner().invoke(app, [*sent, "--actor", "an\u200bna"])
    assert (answer.exit_code, "nobody sees" in answer.output) == (2, True)
