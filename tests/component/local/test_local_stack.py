"""The folder of a stack: one launcher at a time, secrets for their owner only, tokens."""

import stat
from pathlib import Path

import jwt
import pytest

from deploy.local.bootstrap import SERVICES
from deploy.local.children import StartFailedError
from deploy.local.stack import LogFollower, Stack
from deploy.local.state import AlreadyRunningError, StackState
from deploy.local.tokens import ISSUER
from shared.base.settings import Settings
from shared.contracts.scopes import SERVICE_SCOPES
from shared.web.auth import RequestNotAuthenticated, verify_token


@pytest.fixture
def state(tmp_path: Path) -> StackState:
    return StackState(tmp_path / "stack")


def settings_of(state: StackState) -> Settings:
    return Settings(database_url="postgresql://nobody", jwks_file=state.jwks, issuer=ISSUER)


def test_a_folder_has_one_launcher(state: StackState) -> None:
    with state.hold_state_folder():
        state.mark_stack_ready()
        with pytest.raises(AlreadyRunningError), StackState(state.root).hold_state_folder():
            pass
        with pytest.raises(StartFailedError, match="another launcher"), Stack(state.root):
            pass
        assert state.is_ready
    assert not state.is_ready


def test_a_token_is_good_for_one_service_only(state: StackState) -> None:
    state.keys.publish(state.jwks)
    token = state.keys.token("invoicing", "invoicing:read", subject="operator")

    caller = verify_token(token, "invoicing", settings_of(state))

    assert (caller.subject, caller.scopes) == ("operator", frozenset({"invoicing:read"}))
    with pytest.raises(RequestNotAuthenticated):
        verify_token(token, "collections", settings_of(state))


def test_another_stack_does_not_believe_it(state: StackState, tmp_path: Path) -> None:
    stranger = StackState(tmp_path / "stranger")
    stranger.keys.publish(stranger.jwks)
    with pytest.raises(RequestNotAuthenticated):
        verify_token(state.keys.token("invoicing"), "invoicing", settings_of(stranger))


def test_a_token_lives_twelve_hours_and_has_every_scope_unless_told(state: StackState) -> None:
    claims = jwt.decode(state.keys.token("escalation"), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 12 * 3600
    assert claims["scope"] == (
        "escalation:read escalation:write escalation:mail escalation:override escalation:admin escalation:audit"
        " escalation:operate"
    )
    assert claims["iss"] == "goodstanding-local"


def test_each_service_has_tokens_for_the_others(state: StackState) -> None:
    state.keys.publish(state.jwks)
    (state.tokens / "entitlements").mkdir(parents=True)
    (state.tokens / "entitlements" / "invoicing.jwt").write_text("one that is not used any more")
    state.keys.write_service_tokens(state.tokens)
    for service in SERVICES:
        audiences = {path.stem for path in (state.tokens / service).glob("*.jwt")}
        assert audiences == SERVICE_SCOPES[service].keys()
    token = (state.tokens / "collections" / "invoicing.jwt").read_text()
    caller = verify_token(token, "invoicing", settings_of(state))
    assert caller.subject == "service:collections"
    assert caller.scopes == {"invoicing:read"}


def test_secrets_are_for_their_owner_only_and_stay(state: StackState) -> None:
    state.keys.publish(state.jwks)
    before = state.jwks.read_text()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.root.iterdir()}
    assert modes["secrets.json"] == 0o600

    StackState(state.root).keys.publish(state.jwks)

    assert state.jwks.read_text() == before
    assert "private" not in before
    assert '"d"' not in before


def test_a_log_is_followed_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    log.write_text("old\n")
    follower = LogFollower(log)
    with log.open("a") as writer:
        writer.write("one\ntw")
        writer.flush()
        assert follower.read_new_lines() == ["one"]
        writer.write("o\n")
        writer.flush()
        assert follower.read_new_lines() == ["two"]
    assert follower.read_new_lines() == []
