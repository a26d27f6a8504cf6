"""Kafka's own console consumer: a reader of our topics that knows nothing of us."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local import children, jars

GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
ARTIFACT = "org.apache.kafka:kafka-tools"
"""Not among the broker's jars; its version is theirs, and so is all that it needs."""
MAIN = "org.apache.kafka.tools.consumer.ConsoleConsumer"
BETWEEN, WITHIN = "\x1f", "\x1e"
"""What stands between the parts of a line, and between headers: characters that no message of ours has."""
NULL = "(null)"


@dataclass(frozen=True)
class Shown:
    """A message as the console shows it."""

    partition: int
    headers: dict[str, str]
    key: str
    value: str


async def list_shown(bootstrap: str, topic: str, count: int) -> list[Shown]:
    """The first messages on a topic."""
    process = await asyncio.create_subprocess_exec(
        *_command(bootstrap, topic, count), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    return [_parse_line(line) for line in output.decode().split("\n")[:-1]]


def _command(bootstrap: str, topic: str, count: int) -> list[str]:
    printed = [f"print.{part}=true" for part in ("partition", "headers", "key", "value")]
    marks = [f"key.separator={BETWEEN}", f"headers.separator={WITHIN}", f"null.literal={NULL}"]
    java = (jars.find_java(), "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=OFF", "-Dfile.encoding=UTF-8")
    asked = ("--bootstrap-server", bootstrap, "--topic", topic, "--from-beginning", "--max-messages", str(count))
    properties = [word for property_ in (*printed, *marks) for word in ("--formatter-property", property_)]
    return children.build_user_command(
        None, (*java, "-cp", f"{jars.build_class_path()}:{_tools()}", MAIN, *asked, *properties)
    )


def _parse_line(line: str) -> Shown:
    partition, headers, key, value = line.split(BETWEEN)
    named = dict(header.split(":", 1) for header in headers.split(WITHIN))
    return Shown(int(partition.removeprefix("Partition:")), named, key, value)


def _tools() -> Path:
    """The jar, of the brokers' version; fetched once for a checkout."""
    version = next(jars.JARS.glob("kafka-clients-*.jar")).stem.removeprefix("kafka-clients-")
    folder = jars.JARS.with_name("kafka-tools")
    jar = folder / f"kafka-tools-{version}.jar"
    if not jar.exists():
        subprocess.run(
            ["mvn", "-q", "-B", GOAL, f"-Dartifact={ARTIFACT}:{version}", f"-DoutputDirectory={folder}"], check=True
        )
    return jar
