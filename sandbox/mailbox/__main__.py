"""`python -m sandbox.mailbox --smtp-port P --port P --state FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from deploy.local.secured import make_server_context
from sandbox.mailbox.api import create_app
from sandbox.mailbox.relay import MailRelay
from sandbox.mailbox.smtp import MailIntake, SmtpLogin
from sandbox.mailbox.store import MailStore


def main(
    smtp_port: Annotated[int, typer.Option(help="Where mail is taken in.")],
    port: Annotated[int, typer.Option(help="Where mail is shown.")],
    state: Annotated[Path, typer.Option(help="The folder for the messages.")],
    host: str = "127.0.0.1",
    certificate: Annotated[Path | None, typer.Option(help="PEM of the server's certificate: STARTTLS only.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    client_ca: Annotated[Path | None, typer.Option(help="PEM of the CA whose certificates clients must have.")] = None,
    username: Annotated[str, typer.Option(help="Who may send mail.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="A file with their password.")] = None,
    relay_url: Annotated[str, typer.Option(help="Where replies are handed over.")] = "",
    relay_token_file: Annotated[Path | None, typer.Option(help="A file with the token for it.")] = None,
) -> None:
    """Take mail in, keep it and show it, until SIGTERM or SIGINT. With a certificate only over TLS with the login."""
    doorkeeper = None
    if certificate is not None:
        if password_file is None or not username:
            raise typer.BadParameter("--certificate needs --username and --password-file")
        context = make_server_context(certificate, key, client_ca)
        doorkeeper = SmtpLogin(context, username, password_file.read_text().rstrip("\r\n"))
    relay = MailRelay(relay_url, relay_token_file) if relay_url and relay_token_file else None
    app = create_app(MailIntake(MailStore(state)), host, smtp_port, doorkeeper, relay)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)


if __name__ == "__main__":
    typer.run(main)
