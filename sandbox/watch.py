"""`python -m sandbox.watch TOPIC`: show the events of a topic of the local stack, and go on as more come."""

import asyncio
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer

from deploy.local.processes import build_kafka_server
from deploy.local.state import DEFAULT, StackState
from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import build_kafka_options
from shared.base.kafka import read_message_headers
from shared.events import get_topic
from shared.process.service import NAMES


async def watch_topic(topic: str, access: KafkaAccess) -> None:
    """Print a line for each event, from the beginning of the topic on."""
    client = AIOKafkaConsumer(topic, **build_kafka_options(access), auto_offset_reset="earliest")
    try:
        await client.start()
        async for record in client:
            headers = read_message_headers(record)
            name = headers["ce_type"].split(".")[2]
            typer.echo(f"{headers['ce_time'][:19]}  {headers['ce_subject']}  #{headers['ce_sequence']:<4} {name}")
            typer.echo(f"    {record.value.decode()}")
    finally:
        await client.stop()


def main(topic: Annotated[str, typer.Argument()] = "collections.events") -> None:
    """Show a topic until interrupted."""
    if topic not in (topics := [get_topic(name) for name in NAMES]):
        raise typer.BadParameter(f"there are {', '.join(topics)}")
    state = StackState(DEFAULT)
    if not state.is_ready:
        typer.echo("the local stack is not running: make up", err=True)
        raise typer.Exit(1)
    asyncio.run(watch_topic(topic, build_kafka_server(state).access))


if __name__ == "__main__":
    typer.run(main)
