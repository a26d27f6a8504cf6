"""A process that sends a file of so many lines to invoicing's route, made as it is sent, and says its peak of memory.

python -m tests.component.vendor_child DATABASE_URL JWKS_FILE TOKEN INVOICE_ID LINES PACKED
"""

import asyncio
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from deploy.local.tokens import ISSUER
from shared.base.settings import Settings
from shared.base.telemetry import set_up_telemetry
from shared.process.runtime import Runtime
from shared.process.service import load_service
from shared.web.http import create_process_app
from tests.vendor_files import BilledLine, as_csv, as_json_lines

LINES_A_CHUNK = 100


async def content(lines: int, packed: bool) -> AsyncIterator[bytes]:
    """The file, a chunk at a time."""
    some = [BilledLine()] * LINES_A_CHUNK
    gzip = zlib.compressobj(wbits=31)
    if not packed:
        yield as_csv([])
    chunk = as_json_lines(some) if packed else as_csv(some).partition(b"\r\n")[2]
    for _ in range(lines // LINES_A_CHUNK):
        yield gzip.compress(chunk) if packed else bytes(bytearray(chunk))  # its own, as each that comes by a wire
    if packed:
        yield gzip.flush()


async def main(url: str, jwks: str, token: str, invoice_id: str, lines: int, packed: bool) -> None:
    """Send it, and say the status, the lines taken, and the peak of memory in KiB."""
    set_up_telemetry("invoicing/api", "error")  # nothing but what is said below
    settings = Settings(database_url=url, clock="sandbox", jwks_file=Path(jwks), issuer=ISSUER)
    runtime = Runtime(load_service("invoicing"), settings)
    transport = httpx2.ASGITransport(app=create_process_app(runtime))
    headers = {"authorization": f"Bearer {token}", "content-type": "application/gzip" if packed else "text/csv"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://service", timeout=300) as http:
        path = f"/v1/vendor-invoices/{invoice_id}/reconciliation"
        answer = await http.put(path, content=content(lines, packed), headers=headers)
    await runtime.close()
    sys.stdout.write(f"{answer.status_code} {answer.json().get('lines')} {_peak()}")


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    url, jwks, token, invoice_id, lines, packed = sys.argv[1:]
    asyncio.run(main(url, jwks, token, invoice_id, int(lines), packed == "packed"))
