"""`python -m sandbox.watch TOPIC`: show the events of a topic of the local stack, and go on as more come."""

import asyncio
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer

from deploy.local.processes import kafka_of
from deploy.local.state import DEFAULT, StackState
from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import connection_options
from shared.base.kafka import read_headers
from shared.events import topic_of
from shared.process.service import NAMES


async def watch(topic: str, access: KafkaAccess) -> None:
    """Print a line for each event, from the beginning of the topic on."""
    client = AIOKafkaConsumer(topic, **connection_options(access), auto_offset_reset="earliest")
    try:
        await client.start()
        async for record in client:
            headers = read_headers(record)
            name = headers["ce_type"].split(".")[2]
            typer.echo(f"{headers['ce_time'][:19]}  {headers['ce_subject']}  #{headers['ce_sequence']:<4} {name}")
            typer.echo(f"    {record.value.decode()}")
    finally:
        await client.stop()


def main(topic: Annotated[str, typer.Argument()] = "collections.events") -> None:
    """Show a topic until interrupted."""
    if topic not in (topics := [topic_of(name) for name in NAMES]):
        raise typer.BadParameter(f"there are {', '.join(topics)}")
    state = StackState(DEFAULT)
    if not state.is_ready:
        typer.echo("the local stack is not running: make up", err=True)
        raise typer.Exit(1)
    asyncio.run(watch(topic, kafka_of(state).access))


if __name__ == "__main__":
    typer.run(main)
