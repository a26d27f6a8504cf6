"""Asks an outside tax calculator over HTTP: a bounded wait, a few quick attempts, each with the same request."""

import re
from pathlib import Path

import httpx2
import orjson
from pydantic import ValidationError

from services.invoicing.billing.domain.tax_calculator import (
    CalculatedInvoiceTax,
    TaxCalculationRequest,
    TaxCalculatorRefusal,
)
from shared.base.retries import retry_briefly
from shared.base.telemetry import get_traceparent
from shared.pure.errors import RetryLater

PATH = "/v1/tax-calculations"
PASSES = (408, 425, 429)
"""Statuses of requests that may be answered otherwise later, as every 5xx; any other 4xx is for good."""
LONGEST_DETAIL = 200


class HttpTaxCalculator:
    """The calculator behind a client with its address; the token is read anew for each question."""

    def __init__(self, http: httpx2.AsyncClient, token_file: Path | None) -> None:
        self._http = http
        self._token_file = token_file

    async def request_invoice_tax(self, request: TaxCalculationRequest) -> CalculatedInvoiceTax:
        """Ask for the tax of an invoice. Raises TaxCalculatorRefusal, RetryLater."""
        answer = await self._send_request(request)
        if answer.status_code != 200:
            raise TaxCalculatorRefusal(_describe_refusal(answer))
        try:
            return CalculatedInvoiceTax.model_validate_json(answer.content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the body"
            raise TaxCalculatorRefusal(
                f"the tax calculator's answer is not understood: {place}: {first['msg']}"
            ) from error

    async def _send_request(self, request: TaxCalculationRequest) -> httpx2.Response:
        body, headers = request.model_dump_json(), self._headers(request)
        try:
            async for attempt in retry_briefly(lambda error: isinstance(error, httpx2.RequestError | RetryLater)):
                with attempt:
                    answer = await self._http.post(PATH, content=body, headers=headers)
                    if answer.status_code >= 500 or answer.status_code in PASSES:
                        raise RetryLater(f"the tax calculator answers {answer.status_code}")
        except httpx2.RequestError as error:
            raise RetryLater(f"the tax calculator cannot be reached: {type(error).__name__}") from error
        return answer

    def _headers(self, request: TaxCalculationRequest) -> dict[str, str]:
        headers = {"content-type": "application/json", "idempotency-key": str(request.request_id)}
        headers |= {"traceparent": get_traceparent()} if get_traceparent() else {}
        if self._token_file is not None:
            try:
                headers["authorization"] = f"Bearer {self._token_file.read_text().strip()}"
            except OSError as error:
                raise RetryLater("there is no token for the tax calculator") from error
        return headers


def _describe_refusal(answer: httpx2.Response) -> str:
    """Why it refuses: its status, and what its problem document (RFC 9457) says, if it is one."""
    try:
        problem = orjson.loads(answer.content)
    except ValueError:
        problem = None
    parts = [problem.get("code"), problem.get("detail")] if isinstance(problem, dict) else []
    words = [re.sub(r"[\x00-\x1f\x7f]+", " ", part)[:LONGEST_DETAIL] for part in parts if isinstance(part, str)]
    return ": ".join([f"the tax calculator answers {answer.status_code}", *words])
