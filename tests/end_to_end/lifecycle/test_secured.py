"""An account's course with TLS, certificates and logins everywhere; and nobody gets in without them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiosmtplib
import asyncpg
import httpx2
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.local.stack import Stack, remove_stack_folder
from deploy.local.state import StackState
from sandbox.clock import START
from sandbox.driver import SandboxDriver, open_driver
from shared.base.connections.database import connect_database
from shared.base.connections.tls import TlsFiles, TlsOrLoginRefused
from tests.certificates import Authority
from tests.end_to_end.beginnings import BEGIN, begin
from tests.end_to_end.lifecycle.course import live_through_suspension

pytestmark = pytest.mark.xdist_group("stack")
KEY_PASSWORD = "correct-horse-battery"


def put_certificates(folder: Path) -> None:
    """Put there what the servers of a stack and their clients know each other by."""
    authority = Authority(folder, "ca")
    authority.sign("server", "127.0.0.1")
    authority.sign("client", "client.example", key_password=KEY_PASSWORD)
    (folder / "client-key-password").write_text(KEY_PASSWORD + "\n")


@pytest.fixture(scope="module")
def secured(fast_folder: Path) -> Iterator[Stack]:
    """A stack of which every server wants TLS, a certificate and a login."""
    folder = fast_folder / "secured"
    put_certificates(folder / "security")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(START, f"{BEGIN:%Y-%m-%dT%H:%M:%S}")
        with Stack(folder, durable=False) as stack:
            yield stack
    remove_stack_folder(folder)


@pytest.fixture
async def driver(secured: Stack) -> AsyncIterator[SandboxDriver]:
    """A driver of that stack."""
    async with open_driver(secured) as driver:
        await begin(driver)
        yield driver


async def test_suspended_and_given_back_with_everything_secured(secured: Stack, driver: SandboxDriver) -> None:
    await live_through_suspension(secured, driver)
    async with httpx2.AsyncClient() as http:
        mails = (await http.get(secured.url("mailbox") + "/v1/messages")).json()["messages"]
    assert "Final notice before access is suspended" in [mail["subject"] for mail in mails]


async def test_postgres_lets_nobody_in_without_tls_or_certificate(secured: Stack) -> None:
    url = secured.database_url("monitor")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await asyncpg.connect(url, ssl=False)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="client certificate"):
        await asyncpg.connect(url, ssl=TlsFiles(secured.tls.ca).make_context())


async def test_postgres_takes_no_certificate_of_another_authority(secured: Stack, tmp_path: Path) -> None:
    foreign = Authority(tmp_path, "foreign").sign("client", "client.example")
    files = {"database_certificate_file": foreign.certificate, "database_key_file": foreign.key}
    access = secured.database_access("monitor").model_copy(update=files | {"database_key_password_file": None})
    with pytest.raises(TlsOrLoginRefused, match="the database: it takes no certificate of ours"):
        await connect_database(access)


async def test_kafka_lets_nobody_in_in_plain_text(secured: Stack) -> None:
    client = AIOKafkaProducer(bootstrap_servers=secured.kafka)
    with pytest.raises(KafkaError):
        await client.start()
    await client.stop()


async def test_the_mail_hop_takes_nothing_in_plain_text_or_without_a_login(secured: Stack, fast_folder: Path) -> None:
    port = StackState(fast_folder / "secured").get_port("smtp")
    hop = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    await hop.connect()
    with pytest.raises(aiosmtplib.SMTPException, match="530"):
        await hop.mail("billing@reseller.example")
    await hop.starttls(tls_context=secured.tls.make_context())
    with pytest.raises(aiosmtplib.SMTPException, match="530"):
        await hop.mail("billing@reseller.example")
    hop.close()


async def test_the_vendor_takes_no_call_without_tls_certificate_or_token(secured: Stack) -> None:
    url, path = secured.url("vendor"), "/v1/customers/tenant-17/subscriptions/subscription-17"
    async with httpx2.AsyncClient(verify=secured.tls.make_context()) as http:
        assert (await http.get(url + path)).status_code == 401
        with pytest.raises(httpx2.TransportError):
            await http.get(url.replace("https", "http") + path)
    async with httpx2.AsyncClient(verify=TlsFiles(secured.tls.ca).make_context()) as http:
        with pytest.raises(httpx2.TransportError):
            await http.get(url + path)
