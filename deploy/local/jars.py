"""Kafka's jars: fetched by Maven once for all stacks of a checkout, with a class-data archive beside them."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import files
from deploy.local.children import StartFailedError

CHECKOUT = Path(__file__).parents[2]
RECIPE = CHECKOUT / "deploy" / "kafka"
JARS = CHECKOUT / ".local" / "kafka-jars"
ARCHIVE = JARS / "kafka.jsa"


def find_java() -> str:
    """The Java program: `$JAVA_HOME`'s, else the PATH's. Raises StartFailedError."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=f"{home}/bin" if home else None)
    if not path:
        raise StartFailedError("kafka", "Java 17 or newer is missing; `make setup` installs it")
    return path


def build_class_path() -> str:
    """The jars in a fixed order, without which the archive would not be valid."""
    return ":".join(str(jar) for jar in sorted(JARS.glob("*.jar")))


def fetch_jars() -> bool:
    """Fetch the jars unless those of this very `pom.xml` are there; whether anything was fetched.

    Raises StartFailedError.
    """
    wanted = hashlib.sha256((RECIPE / "pom.xml").read_bytes()).hexdigest()
    stamp = JARS / "pom.sha256"
    with _locked():
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        shutil.rmtree(JARS, ignore_errors=True)
        _run_maven()
        files.write_private_file(stamp, wanted)
    return True


def _run_maven() -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise StartFailedError("kafka", "Maven is missing; `make setup` installs it")
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={JARS}")
    done = subprocess.run([maven, "-q", "-B", *goal], cwd=RECIPE, capture_output=True, text=True)
    if done.returncode:
        raise StartFailedError("kafka", f"Maven could not fetch Kafka's jars:\n{done.stdout}{done.stderr}")


@contextmanager
def _locked() -> Iterator[None]:
    """One fetch at a time, however many stacks start at once."""
    JARS.parent.mkdir(parents=True, exist_ok=True)
    with JARS.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
