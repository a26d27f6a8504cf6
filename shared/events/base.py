"""Base of all events: a type with a version, a producer, a subject.

An event is a CloudEvents 1.0 message (https://github.com/cloudevents/spec). Its payload carries the
whole state that a reader needs. Fields may be added as optional; anything else is a new version.
"""

from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

PARTITIONS = 6
"""Partitions of each topic: part of the contract, because it decides what is in order."""

REGISTRY: dict[str, type["Event"]] = {}
"""Every declared event by its CloudEvents type."""


class Event(BaseModel):
    """A fact, in the past tense, that a service announces on its topic."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    producer: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, abstract: bool = False, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if not abstract:
            REGISTRY[cls.type()] = cls

    @classmethod
    @cache
    def type(cls) -> str:
        """The CloudEvents type, for example `goodstanding.invoicing.InvoiceIssued.v1`."""
        return f"goodstanding.{cls.producer}.{cls.__name__}.v{cls.version}"

    @classmethod
    def topic(cls) -> str:
        """The Kafka topic on which this event is published."""
        return get_topic(cls.producer)

    def subject(self) -> str:
        """Subject of the event, which is also its partition key."""
        raise NotImplementedError


def get_topic(producer: str) -> str:
    """The topic of a producing service."""
    return f"{producer}.events"


def get_producer(topic: str) -> str:
    """The service that alone publishes on a topic."""
    return topic.removesuffix(".events")


def get_event_source(producer: str) -> str:
    """The CloudEvents source of what a service publishes."""
    return f"/goodstanding/{producer}"


class AccountEvent(Event, abstract=True):
    """An event about an account; the account is its subject."""

    account_id: UUID

    def subject(self) -> str:
        """Account that the event is about."""
        return str(self.account_id)
