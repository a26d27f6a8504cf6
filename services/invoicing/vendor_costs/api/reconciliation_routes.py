"""Reconciliation files of vendor invoices over REST: received as a stream, and what their comparison came to."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Header, Query, Request, Response
from pydantic import AliasChoices, BaseModel, Field

from services.invoicing.files import api as files_api
from services.invoicing.files.domain.broken_lines import UploadedFileLinesBroken
from services.invoicing.vendor_costs.domain.line_verdicts import ReconciliationVerdictSum, VendorFileSumsRefused
from services.invoicing.vendor_costs.use_cases import reconciliation
from services.invoicing.vendor_costs.use_cases.reconciliation import (
    AnotherVendorFile,
    ReconciliationResult,
    VendorFileDecisionsTaken,
)
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.fields import Prose, ReasonIn, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(
    prefix="/v1/vendor-invoices", tags=["vendor"], dependencies=[needs("invoicing:read")], responses=PROBLEMS
)
writes = Router(
    prefix="/v1/vendor-invoices", tags=["vendor"], dependencies=[needs("invoicing:vendor")], responses=PROBLEMS
)

_CSV = (
    "CustomerId,SubscriptionId,SkuName,ChargeType,UnitPrice,EffectiveUnitPrice,Quantity,Subtotal,TaxTotal,Total,"
    "Currency,ChargeStartDate,ChargeEndDate,ReferenceId\n"
    "tenant-4711,vendor-subscription-17,Business Premium,new,10.08,10.08,10,100.80,19.15,119.95,EUR,"
    "2026-03-01,2026-03-30,reference-1\n"
)
_LINE = (
    '{"CustomerId": "tenant-4711", "SubscriptionId": "vendor-subscription-17", "ChargeType": "new",'
    ' "UnitPrice": "10.08", "Quantity": 10, "Subtotal": 100.80, "TaxTotal": 19.15, "Total": 119.95,'
    ' "Currency": "EUR", "ChargeStartDate": "2026-03-01", "ChargeEndDate": "2026-03-30"}\n'
)


class ReplacementReasonMissing(Refusal):
    """Who replaces a file says why."""

    code = "reason_missing"
    status = 422


class CustomerSumOut(BaseModel):
    """Sum that customers were billed in one currency, without tax; minor units."""

    currency: str
    net_minor: int


class VerdictSumOut(BaseModel):
    """All comparisons of one verdict: of how many lines, and what both sides add up to, without tax."""

    verdict: str
    comparisons: int
    lines: int
    billed_minor: int
    expected_minor: int
    difference_minor: int
    currency: str
    billed_to_customers: list[CustomerSumOut] = Field(
        description="for the same subscriptions and periods, on issued invoices as at the comparison; never converted"
    )

    @classmethod
    def from_verdict_sum(cls, verdict_sum: ReconciliationVerdictSum, currency: str) -> Self:
        """The answer for a sum."""
        return cls(
            verdict=verdict_sum.verdict.value,
            comparisons=verdict_sum.comparisons,
            lines=verdict_sum.lines,
            billed_minor=verdict_sum.billed_minor,
            expected_minor=verdict_sum.expected_minor,
            difference_minor=verdict_sum.billed_minor - verdict_sum.expected_minor,
            currency=currency,
            billed_to_customers=[
                CustomerSumOut(currency=money.currency, net_minor=money.minor)
                for money in verdict_sum.billed_to_customers
            ],
        )


class ReconciliationOut(BaseModel):
    """Result of the comparison of a file: clean, differences, or not_compared."""

    model_config = set_model_example(
        id="01a20d71-1c0e-7b3f-8a55-2f64d1f0a9b7",
        vendor_invoice_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        status="clean",
        file_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        layout="csv",
        lines=1,
        currency="EUR",
        total_minor=11995,
        tax_minor=1915,
        verdicts=[
            {
                "verdict": "matched",
                "comparisons": 1,
                "lines": 1,
                "billed_minor": 10080,
                "expected_minor": 10080,
                "difference_minor": 0,
                "currency": "EUR",
                "billed_to_customers": [{"currency": "EUR", "net_minor": 12500}],
            }
        ],
        duration_ms=20,
        lines_per_second=50,
        reconciled_at="2026-04-09T08:00:00Z",
        reconciled_by="finance",
    )

    id: UUID
    vendor_invoice_id: UUID
    status: str
    file_sha256: str
    layout: str
    lines: int
    currency: str
    total_minor: int
    tax_minor: int
    verdicts: list[VerdictSumOut]
    duration_ms: int = Field(validation_alias=AliasChoices("duration_ms", "took_ms"))
    lines_per_second: int
    reconciled_at: datetime
    reconciled_by: str

    @classmethod
    def from_reconciliation_result(cls, result: ReconciliationResult) -> Self:
        """The answer for a reconciliation."""
        row = result.row
        sums = [VerdictSumOut.from_verdict_sum(subtotal, row.currency) for subtotal in result.sums]
        rate = row.lines * 1000 // max(1, row.took_ms)
        return cls.model_validate(row.model_dump() | {"verdicts": sums, "lines_per_second": rate})


ANSWERS: dict[int | str, dict[str, Any]] = {
    201: {"description": "the file was taken and compared", "model": ReconciliationOut},
    **files_api.REFUSED,
}


@writes.put(
    "/{vendor_invoice_id}/reconciliation",
    response_model=ReconciliationOut,
    summary="Reconcile the vendor's invoice with its file",
    dependencies=[files_api.ACCEPTED],
    openapi_extra={"requestBody": files_api.describe_uploaded_file_body(_CSV, _LINE)},
    responses=ANSWERS
    | refusals(
        AnotherVendorFile,
        VendorFileDecisionsTaken,
        UploadedFileLinesBroken,
        VendorFileSumsRefused,
        ReplacementReasonMissing,
    ),
)
async def put_reconciliation(
    vendor_invoice_id: UUID,
    request: Request,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("vendor_reconciliation.take")],
    content_type: Annotated[str, Header(max_length=200, include_in_schema=False)] = "",
    replace: Annotated[
        bool, Query(description="take the place of another file, as long as nothing is decided")
    ] = False,
    reason: Annotated[Prose | None, Query(description="why, if it is to take the place of another file")] = None,
) -> ReconciliationOut:
    """Take a reconciliation file of the vendor's, wholly or not at all, and compare its lines with what we expected.

    CSV or JSON lines, packed as gzip or not. ChargeEndDate is the last day charged. Unknown columns are kept. Lines
    that cannot be read are named, the first 20, and so are both sums if the file does not add up to the invoice. The
    same file again changes nothing. Announces `ReconciliationCompleted`.
    """
    layout = files_api.parse_file_layout(content_type)
    if replace and reason is None:
        raise ReplacementReasonMissing("reason: say why the file is to take the place of another one")
    actor = command.caller.subject
    because = reason if replace else None
    async with files_api.receive_uploaded_file(request.stream(), layout) as file:

        async def reconcile_uploaded_file(unit: Unit) -> ReconciliationResult:
            return await reconciliation.reconcile_vendor_file(unit, vendor_invoice_id, file, actor, because)

        result = await command.run(reconcile_uploaded_file, reason=because, subject=vendor_invoice_id)
    response.status_code = 200 if result.repeated else 201
    return ReconciliationOut.from_reconciliation_result(result)


@reads.get("/{vendor_invoice_id}/reconciliation", summary="What the reconciliation of an invoice came to")
async def get_reconciliation(vendor_invoice_id: UUID, read: Read) -> ReconciliationOut:
    """The result by verdict, with counts and sums. What differs is on the work list, `GET /v1/vendor-differences`."""
    return ReconciliationOut.from_reconciliation_result(
        await read(lambda unit: reconciliation.get_reconciliation_result(unit, vendor_invoice_id))
    )


@writes.post(
    "/{vendor_invoice_id}/reconciliation:compare",
    status_code=200,
    response_model=ReconciliationOut,
    summary="Compare the file that is there again",
    responses=refusals(AnotherVendorFile, VendorFileDecisionsTaken, UploadedFileLinesBroken, VendorFileSumsRefused),
)
async def repeat_reconciliation(
    vendor_invoice_id: UUID,
    reason_body: ReasonIn,
    command: Annotated[CommandRunner, perform_command("vendor_reconciliation.compare")],
) -> Response:
    """Compare its lines with what we expect by now, as long as no difference is decided.

    Announces `ReconciliationCompleted`.
    """

    async def compare_and_show_reconciliation(unit: Unit) -> ReconciliationOut:
        result = await reconciliation.compare_vendor_file_again(
            unit, vendor_invoice_id, command.caller.subject, reason_body.reason
        )
        return ReconciliationOut.from_reconciliation_result(result)

    return await command.run(
        compare_and_show_reconciliation, status=200, reason=reason_body.reason, subject=vendor_invoice_id
    )
