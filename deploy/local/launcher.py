"""The launcher: brings a stack up in the order of its needs, keeps it up, and takes it down."""

import asyncio
import logging
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2

from deploy.local import monitoring, processes, tokens
from deploy.local.bootstrap import SERVICES, bootstrap_server
from deploy.local.children import ChildProgram, StartFailedError, build_user_command
from deploy.local.jars import CHECKOUT
from deploy.local.processes import StackPlan
from deploy.local.state import StackState
from deploy.local.supervisor import StackSupervisor

TOPICS = tuple(f"{service}.events" for service in SERVICES)
Tell = Callable[[str], None]


def supervise_stack(state: StackState, plan: StackPlan, tell: Tell) -> bool:
    """Run the stack until SIGTERM or SIGINT; whether it came up.

    Raises AlreadyRunningError when the folder has a launcher already.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its complaints while the broker starts
    with state.hold_state_folder():
        for name in state.end_stranded():
            tell(f"ended {name}, which a killed launcher had left behind")
        state.pick_ports(SERVICES)
        return asyncio.run(_Launcher(state, plan, tell).run())


class _Launcher:
    def __init__(self, state: StackState, plan: StackPlan, tell: Tell) -> None:
        self._began = time.monotonic()
        self._state = state
        self._plan = plan
        self._tell_plainly = tell
        self._supervisor = StackSupervisor(state, self._tell)
        self._postgres = processes.build_postgres_server(state, plan.durable)
        self._kafka = processes.build_kafka_server(state, plan.proxies.get("kafka"))
        self._stopped = asyncio.Event()

    async def run(self) -> bool:
        """Start, wait for the signal, stop; whether the start succeeded."""
        loop, came_up = asyncio.get_running_loop(), True
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        try:
            await self._until_stopped(self._live())
        except* StartFailedError as failed:
            came_up = False
            self._explain(failed)
        finally:
            self._tell("stopping")
            await self._supervisor.stop()
            self._tell("stopped")
        return came_up

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, but drop it when the signal to stop comes."""
        doing, stop = asyncio.create_task(work), asyncio.create_task(self._stopped.wait())
        await asyncio.wait({doing, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if doing.done():
            doing.result()
        else:
            doing.cancel()
            await asyncio.wait({doing})

    async def _live(self) -> None:
        await self._supervisor.start_stack_programs(self._start())
        await self._stay_up()

    async def _start(self) -> None:
        """Postgres with its schemas beside Kafka with its topics; then everything that needs both."""
        self._write_keys()
        if security := self._state.security:
            security.prepare()
        async with asyncio.TaskGroup() as servers:
            servers.create_task(self._start_postgres())
            servers.create_task(self._start_kafka())
        programs = processes.list_stack_programs(self._plan, self._state, self._postgres)
        self._supervisor.start(*programs)
        async with httpx2.AsyncClient(timeout=2, verify=self._state.tls.make_context()) as client:
            await asyncio.gather(*(self._until_healthy(client, program) for program in programs))
            await self._start_monitoring(client)

    async def _start_monitoring(self, client: httpx2.AsyncClient) -> None:
        """Prometheus and Alertmanager where they are wanted and installed; the stack is whole without them."""
        if not self._plan.metrics:
            return
        watching = monitoring.list_monitoring_programs(self._state, self._plan.services)
        if not watching:
            self._tell(f"no metrics are kept: {' and '.join(monitoring.list_missing_programs())} not installed")
            return
        self._supervisor.start(*watching)
        places = {program.name: monitoring.get_ready_url(self._state, program.name) for program in watching}
        await asyncio.gather(*(self._until_answered(client, *place) for place in places.items()))

    async def _start_postgres(self) -> None:
        await asyncio.to_thread(self._postgres.prepare)
        self._supervisor.start(self._postgres.build_postgres_program())
        await self._supervisor.wait_for_readiness("postgres", self._postgres_is_ready)
        await bootstrap_server(self._postgres)
        await asyncio.to_thread(self._migrate)
        self._tell("the schemas are migrated")

    async def _start_kafka(self) -> None:
        await asyncio.to_thread(self._kafka.prepare)
        self._supervisor.start(self._kafka.build_broker_program())
        await self._supervisor.wait_for_readiness("kafka", self._kafka.is_ready)
        await self._kafka.create_topics(TOPICS)
        self._tell("the topics are there")

    async def _stay_up(self) -> None:
        """Say that all is up, and keep the services' tokens fresh."""
        self._state.mark_stack_ready()
        self._tell("ready")
        while True:
            await asyncio.sleep(tokens.RENEWED_EVERY)
            self._write_keys()

    async def _until_healthy(self, client: httpx2.AsyncClient, program: ChildProgram) -> None:
        """Wait until the process says that it is ready."""
        await self._until_answered(client, program.name, f"{self._state.url(program.name)}/health/ready")

    async def _until_answered(self, client: httpx2.AsyncClient, name: str, url: str) -> None:
        async def is_ready() -> bool:
            try:
                return (await client.get(url)).is_success
            except httpx2.HTTPError:
                return False

        await self._supervisor.wait_for_readiness(name, is_ready)

    async def _postgres_is_ready(self) -> bool:
        return self._postgres.is_ready()

    def _migrate(self) -> None:
        """Bring every schema to its newest version, as the owner role."""
        command, environment = processes.build_migration_command(self._postgres)
        log = self._state.get_log_path("migrate")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            bound = build_user_command(None, tuple(command))
            done = subprocess.run(bound, env=environment, cwd=CHECKOUT, stdout=output, stderr=output)
        if done.returncode:
            raise StartFailedError("migrate", f"exit code {done.returncode}")

    def _write_keys(self) -> None:
        self._state.keys.publish(self._state.jwks)
        self._state.keys.write_service_tokens(self._state.tokens)

    def _explain(self, failed: BaseExceptionGroup[Exception]) -> None:
        """Tell what failed, each with the end of its log."""
        for failure in failed.exceptions:
            if isinstance(failure, BaseExceptionGroup):
                self._explain(failure)
            elif isinstance(failure, StartFailedError):
                self._tell(f"start failed: {failure}\n{self._state.log_tail(failure.name)}")

    def _tell(self, line: str) -> None:
        self._tell_plainly(f"{time.monotonic() - self._began:6.1f} s  {line}")
