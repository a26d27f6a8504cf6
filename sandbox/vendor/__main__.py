"""`python -m sandbox.vendor --port P --state FILE`."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from sandbox.vendor.api import create_app
from sandbox.vendor.store import Store
from sandbox.vendor.vendor import Vendor


def main(
    port: Annotated[int, typer.Option(help="Where the API listens.")],
    state: Annotated[Path, typer.Option(help="The file that keeps what the vendor remembers.")],
    host: str = "127.0.0.1",
) -> None:
    """Be the vendor, until SIGTERM or SIGINT."""
    app = create_app(Vendor(Store(state)))
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    typer.run(main)
