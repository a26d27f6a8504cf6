"""`python -m sandbox.vendor_simulator --port P --state FILE`."""

import ssl
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from sandbox.vendor_simulator.api import create_app
from sandbox.vendor_simulator.store import VendorStore
from sandbox.vendor_simulator.tokens import TokenDesk
from sandbox.vendor_simulator.vendor import Vendor


def main(
    port: Annotated[int, typer.Option(help="Where the API listens.")],
    state: Annotated[Path, typer.Option(help="The file that keeps what the vendor remembers.")],
    host: str = "127.0.0.1",
    oauth: Annotated[Path | None, typer.Option(help="A JSON file with the client that gets tokens.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM of the server's certificate: HTTPS only.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    client_ca: Annotated[Path | None, typer.Option(help="PEM of the CA whose certificates clients must have.")] = None,
) -> None:
    """Be the vendor, until SIGTERM or SIGINT."""
    app = create_app(Vendor(VendorStore(state)), TokenDesk(oauth) if oauth else None)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=str(client_ca) if client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE,
    )


if __name__ == "__main__":
    typer.run(main)
