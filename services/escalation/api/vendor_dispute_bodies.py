"""Bodies and answers of the routes of vendor disputes."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.escalation.domain.vendor_disputes import ContestedVendorAmount, VendorDisputeState
from services.escalation.tables import VendorDisputeRow
from services.escalation.use_cases.vendor_dispute_moves import VendorDisputePlace
from services.escalation.use_cases.vendor_disputes import NewVendorDispute
from shared.pure.fields import Code, Day, Name, Prose, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency, PositiveMinor

MAX_ITEMS = 50
"""How many items a vendor dispute has at most: invoicing is asked about the difference of each."""


class ContestedItemIn(RequestBody):
    """An amount of the vendor invoice, with tax: of a difference, or of what the vendor calls by this reference."""

    model_config = set_model_example(
        difference_id="01a20d71-1c0e-7b3f-8a55-000000000001", reference=None, code="quantity", amount_minor=2016
    )

    difference_id: UUID | None = None
    reference: Name | None = None
    code: Code = Field(description="what is wrong: a code of ours")
    amount_minor: PositiveMinor

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.difference_id is None and self.reference is None:
            raise ValueError("name a difference_id or a reference")
        return self

    def build_item(self) -> ContestedVendorAmount:
        """Build what is contested."""
        return ContestedVendorAmount(**self.model_dump())


class VendorDisputeIn(RequestBody):
    """A part of a vendor invoice that we contest, and why; without `case_id` it gets a case for the queue `vendor`."""

    model_config = set_model_example(
        vendor_invoice_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        currency="EUR",
        items=[get_model_example(ContestedItemIn)],
        reason_code="quantity",
        reason="two seats were given back on the 3rd, within seven days",
        dispute_id=None,
        case_id=None,
        vendor_reference="2604020010000417",
        deadline="2026-06-07",
    )

    vendor_invoice_id: UUID
    currency: Currency
    items: Annotated[list[ContestedItemIn], Field(min_length=1, max_length=MAX_ITEMS)]
    reason_code: Code
    reason: Prose
    dispute_id: UUID | None = Field(default=None, description="the customer's dispute; neither waits for the other")
    case_id: UUID | None = Field(
        default=None,
        description="a case that is not resolved; left out, the task of one of the differences, else a new task",
    )
    vendor_reference: Name | None = Field(default=None, description="the vendor's ticket or number")
    deadline: Day | None = Field(default=None, description="the last day on which the vendor is to answer")

    @model_validator(mode="after")
    def _names_differences_once(self) -> Self:
        named = [item.difference_id for item in self.items if item.difference_id is not None]
        if len(set(named)) < len(named):
            raise ValueError("items: a difference is named twice")
        return self

    def build_vendor_dispute(self) -> NewVendorDispute:
        """Build what shall be contested."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return NewVendorDispute(**fields | {"items": [item.build_item() for item in self.items]})


class VendorHandlingIn(RequestBody):
    """Where the vendor works on it and until when it is to answer: all three as they are from now on."""

    model_config = set_model_example(ticket_id=None, vendor_reference="2604020010000417", deadline="2026-06-14")

    ticket_id: UUID | None = Field(description="a ticket of ours, whose number is the reference where none is given")
    vendor_reference: Name | None = Field(description="the vendor's ticket or number")
    deadline: Day | None = Field(description="the last day on which the vendor is to answer")

    def build_at_vendor(self) -> VendorDisputePlace:
        """Build where it is."""
        return VendorDisputePlace(**self.model_dump())


class VendorDisputeAcceptanceIn(ReasonIn):
    """An amount that the vendor accepts; minor units, with tax."""

    model_config = set_model_example(accepted_minor=2016, reason="the vendor's answer of 9 April")

    accepted_minor: PositiveMinor


class ContestedItemOut(BaseModel):
    """An amount of the vendor invoice that is contested, with tax."""

    model_config = set_model_example(**get_model_example(ContestedItemIn))

    difference_id: UUID | None
    reference: str | None
    code: str
    amount_minor: int


class VendorDisputeOut(BaseModel):
    """A part of a vendor invoice that we contest, and what the vendor answered; minor units, with tax."""

    model_config = set_model_example(
        id="01a20d72-4a52-7c19-8e30-2c9f1b7d6a44",
        case_id="01a20d72-4a52-7a09-b1f4-93d2c07e5a16",
        dispute_id=None,
        vendor_invoice_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        vendor_invoice_number="G012345678",
        legal_entity="GS-DE",
        currency="EUR",
        items=[get_model_example(ContestedItemOut)],
        contested_minor=2016,
        reason_code="quantity",
        reason="two seats were given back on the 3rd, within seven days",
        vendor_reference="2604020010000417",
        ticket_id=None,
        deadline="2026-06-07",
        state="open",
        opened_by="support",
        opened_at="2026-04-10T10:00:00Z",
        accepted_minor=None,
        ended_at=None,
        ended_by=None,
        ended_reason=None,
    )

    id: UUID
    case_id: UUID
    dispute_id: UUID | None
    vendor_invoice_id: UUID
    vendor_invoice_number: str
    legal_entity: str
    currency: str
    items: list[ContestedItemOut]
    contested_minor: int
    reason_code: str
    reason: str
    vendor_reference: str | None
    ticket_id: UUID | None
    deadline: date | None
    state: VendorDisputeState
    opened_by: str
    opened_at: datetime
    accepted_minor: int | None
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None

    @classmethod
    def from_row(cls, row: VendorDisputeRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump())
