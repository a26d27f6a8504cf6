"""`python -m sandbox.mailbox --smtp-port P --port P --state FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from sandbox.mailbox.api import create_app
from sandbox.mailbox.smtp import Intake
from sandbox.mailbox.store import Store


def main(
    smtp_port: Annotated[int, typer.Option(help="Where mail is taken in.")],
    port: Annotated[int, typer.Option(help="Where mail is shown.")],
    state: Annotated[Path, typer.Option(help="The folder for the messages.")],
    host: str = "127.0.0.1",
) -> None:
    """Take mail in, keep it and show it, until SIGTERM or SIGINT."""
    app = create_app(Intake(Store(state)), host, smtp_port)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)


if __name__ == "__main__":
    typer.run(main)
