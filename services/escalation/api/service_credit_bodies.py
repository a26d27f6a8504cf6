"""Bodies and answers of the routes of service credits."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.escalation.domain.service_credits import ServiceCreditState
from services.escalation.tables import ServiceCreditRow, ServiceCreditTypeRow
from services.escalation.use_cases.service_credits import NewServiceCredit
from shared.pure.fields import Code, Day, Name, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency, PositiveMinor

MAX_EVIDENCE = 20


class ServiceCreditTypeIn(RequestBody):
    """A kind of credit that the vendor gives: until when it takes requests, and what it wants to see."""

    model_config = set_model_example(
        title="Ordered twice",
        counts_from="day of the newer purchase",
        days=120,
        months=None,
        evidence=["order", "other_order"],
        is_active=True,
    )

    title: Name
    counts_from: Name = Field(description="the day from which on the period counts")
    days: int | None = Field(default=None, ge=1, le=3660, strict=True)
    months: int | None = Field(
        default=None, ge=1, le=120, strict=True, description="to the end of that month after the month of that day"
    )
    evidence: list[Code] = Field(default=[], max_length=MAX_EVIDENCE)
    is_active: bool = True

    @model_validator(mode="after")
    def _has_one_period(self) -> Self:
        if self.days is not None and self.months is not None:
            raise ValueError("a period has days or months")
        if len(set(self.evidence)) < len(self.evidence):
            raise ValueError("evidence: a code is named twice")
        return self


class ServiceCreditTypeOut(BaseModel):
    """A kind of credit that the vendor gives; without days and months requests have no end."""

    model_config = set_model_example(
        code="duplicate_order",
        title="Ordered twice",
        counts_from="day of the newer purchase",
        days=120,
        months=None,
        evidence=["order", "other_order"],
        is_active=True,
    )

    code: str
    title: str
    counts_from: str
    days: int | None
    months: int | None
    evidence: list[str]
    is_active: bool

    @classmethod
    def from_row(cls, row: ServiceCreditTypeRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class ServiceCreditIn(RequestBody):
    """A credit that the vendor shall be asked for; the amount in minor units, without tax."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        type_code="service_level",
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        counts_since="2026-03-17",
        currency="EUR",
        expected_minor=2520,
        description="mail was down for nine hours",
    )

    account_id: UUID
    type_code: Code
    subscription_id: UUID | None = None
    counts_since: Day
    currency: Currency
    expected_minor: PositiveMinor
    description: Prose | None = None

    def build_service_credit(self) -> NewServiceCredit:
        """Build what shall be asked for."""
        return NewServiceCredit(**self.model_dump())


class CreditEvidenceIn(RequestBody):
    """Something that the vendor wants to see, or where it is."""

    model_config = set_model_example(code="incident_id", content="EX25194")

    code: Code
    content: Prose
    entry_id: UUID | None = Field(
        default=None,
        description="the mail of the customer that is the evidence, in the thread of the credit's case; as"
        " `written_claim` it goes to the vendor as it is",
    )


class CreditEvidenceOut(BaseModel):
    """A line of the checklist; without content it is missing."""

    model_config = set_model_example(
        code="incident_id", content="EX25194", entry_id=None, actor="support", added_at="2026-04-02T10:12:00Z"
    )

    code: str
    content: str | None
    entry_id: UUID | None = None
    actor: str | None
    added_at: datetime | None


class ServiceCreditRequestIn(RequestBody):
    """The vendor was asked; by which ticket or number."""

    model_config = set_model_example(vendor_reference="2604020010000417")

    vendor_reference: Name | None = None


class ServiceCreditGrantIn(ReasonIn):
    """An amount that the vendor grants; minor units, without tax."""

    model_config = set_model_example(granted_minor=2520, reason="the vendor's answer of 9 April")

    granted_minor: PositiveMinor


class VendorCreditMatchIn(RequestBody):
    """A credit of a vendor invoice."""

    model_config = set_model_example(difference_id="01a20d71-1c0e-7b3f-8a55-000000000001")

    difference_id: UUID


class CustomerCreditIn(RequestBody):
    """A credit note by which the customer gets the credit."""

    model_config = set_model_example(credit_note_id="01a20d68-3f1a-7d08-9c6e-5b7d2e4f8a10", replace=False)

    credit_note_id: UUID
    replace: bool = Field(default=False, strict=True, description="put it in the place of another credit note")


class ServiceCreditOut(BaseModel):
    """A credit that the vendor is asked for, with its checklist and what was credited on either side.

    `difference_minor` is what the vendor has credited (else granted), without tax, less the customer's credit note,
    with tax; above zero something is not passed on.
    """

    model_config = set_model_example(
        id="01a20d67-4a52-7c19-8e30-2c9f1b7d6a44",
        case_id="01a20d67-4a52-7a09-b1f4-93d2c07e5a16",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        type_code="service_level",
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        counts_since="2026-03-17",
        last_day="2026-04-30",
        currency="EUR",
        expected_minor=2520,
        state="draft",
        evidence=[get_model_example(CreditEvidenceOut)],
        missing=["proof_of_impact"],
        vendor_reference=None,
        requested_at=None,
        granted_minor=None,
        granted_at=None,
        vendor_credited_minor=0,
        credit_note_id=None,
        credit_note_number=None,
        credited_minor=None,
        difference_minor=0,
        opened_by="support",
        opened_at="2026-04-02T10:00:00Z",
        warned_at=None,
        ended_at=None,
        ended_reason=None,
    )

    id: UUID
    case_id: UUID
    account_id: UUID
    type_code: str
    subscription_id: UUID | None
    counts_since: date
    last_day: date | None = Field(description="the last day on which the vendor takes the request (UTC)")
    currency: str
    expected_minor: int
    state: ServiceCreditState
    evidence: list[CreditEvidenceOut]
    missing: list[str]
    vendor_reference: str | None
    requested_at: datetime | None
    granted_minor: int | None
    granted_at: datetime | None
    vendor_credited_minor: int = Field(description="of lines of vendor invoices that were matched")
    credit_note_id: UUID | None
    credit_note_number: str | None
    credited_minor: int | None
    difference_minor: int
    opened_by: str
    opened_at: datetime
    warned_at: datetime | None
    ended_at: datetime | None
    ended_reason: str | None

    @classmethod
    def from_row(cls, row: ServiceCreditRow, wanted: list[str], vendor_credited_minor: int) -> Self:
        """Build the answer for a row, what its type wants to be seen, and what the vendor has credited."""
        codes = [*wanted, *(code for code in row.evidence if code not in wanted)]
        empty = {"content": None, "actor": None, "added_at": None}
        received_minor = vendor_credited_minor or row.granted_minor or 0
        fields = row.model_dump() | {
            "evidence": [{"code": code, **row.evidence.get(code, empty)} for code in codes],
            "missing": [code for code in wanted if code not in row.evidence],
            "vendor_credited_minor": vendor_credited_minor,
            "difference_minor": received_minor - (row.credited_minor or 0),
        }
        return cls.model_validate(fields)


class VendorCreditOut(BaseModel):
    """A credit on a vendor's invoice, without tax, by the vendor's ids of customer and subscription."""

    model_config = set_model_example(
        difference_id="01a20d71-1c0e-7b3f-8a55-000000000001",
        vendor_invoice_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        vendor_customer_id="tenant-4711",
        vendor_subscription_id="vendor-subscription-17",
        currency="EUR",
        amount_minor=2520,
        received_at="2026-05-04T08:00:00Z",
        service_credit_id=None,
        set_aside_by=None,
        set_aside_at=None,
        set_aside_reason=None,
    )

    difference_id: UUID
    vendor_invoice_id: UUID
    vendor_customer_id: str | None
    vendor_subscription_id: str | None
    currency: str
    amount_minor: int
    received_at: datetime
    service_credit_id: UUID | None
    set_aside_by: str | None
    set_aside_at: datetime | None
    set_aside_reason: str | None
