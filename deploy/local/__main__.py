"""`python -m deploy.local COMMAND`: the local stack from the command line."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from rich.console import Console
from rich.table import Table

from deploy.local import children, jars, launcher, monitoring, ports, processes, stack
from deploy.local.bootstrap import SERVICES
from deploy.local.children import GRACE, StartFailedError
from deploy.local.kafka import ensure_archive
from deploy.local.processes import StackPlan
from deploy.local.state import DEFAULT, AlreadyRunningError, StackState

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(highlight=False, soft_wrap=True)
Folder = Annotated[Path, typer.Option("--state", envvar="GOODSTANDING_STACK", help="The folder of the stack.")]


@app.command()
def up(folder: Folder = DEFAULT) -> None:
    """Start the stack, unless it runs already, and say where everything is."""
    state = StackState(folder)
    if not state.is_ready:
        try:
            _start_detached(state)
        except StartFailedError:
            console.print("[red]the stack did not start; nothing is left running[/]")
            raise typer.Exit(1) from None
    _print_addresses(state)


@app.command()
def down(folder: Folder = DEFAULT) -> None:
    """Stop the stack; its data stay."""
    state = StackState(folder)
    identity = state.find_launcher()
    if identity is not None:
        children.end_stranded_process(identity, within=3 * GRACE + 5)
    if state.end_stranded() or identity is not None:
        console.print("the stack is down; its data stay in " + str(state.root))
    else:
        console.print("the stack is not running")


@app.command()
def status(folder: Folder = DEFAULT) -> None:
    """Show the processes (since when they run, how often they were started again, how they are) and the addresses."""
    state = StackState(folder)
    if state.find_launcher() is None:
        console.print("the stack is not running")
        raise typer.Exit(1)
    table = Table("process", "pid", "up since", "restarts", "health")
    for name, running in state.list_running_processes().items():
        health = _health(state, name) if running.process_identity.is_process_alive else "down"
        table.add_row(name, str(running.pid), running.since, str(running.restarts), health)
    console.print(table)
    _print_addresses(state)


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="A process; all of them if left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as the logs grow.")] = False,
    lines: Annotated[int, typer.Option(help="How many of the last lines.")] = 50,
    folder: Folder = DEFAULT,
) -> None:
    """Show the end of the logs."""
    state = StackState(folder)
    log_names = sorted(path.stem for path in state.logs.glob("*.log"))
    if name is not None and name not in log_names:
        raise typer.BadParameter(f"no log of {name!r}; there are: {', '.join(log_names) or 'none'}")
    names = [name] if name is not None else log_names
    followers = {log_name: stack.LogFollower(state.get_log_path(log_name)) for log_name in names}
    for log_name in names:
        _print_log(log_name, state.log_tail(log_name, lines).splitlines(), alone=name is not None)
    while follow:
        for log_name, follower in followers.items():
            _print_log(log_name, follower.read_new_lines(), alone=name is not None)
        time.sleep(0.2)


@app.command()
def token(
    audience: Annotated[str | None, typer.Option(help="The service that it is for.")] = None,
    scope: Annotated[str | None, typer.Option(help="Scopes, separated by blanks; all if left out.")] = None,
    subject: Annotated[str, typer.Option(help="Who calls.")] = "operator",
    roles: Annotated[str, typer.Option(help="What they are, separated by blanks.")] = "operator",
    folder: Folder = DEFAULT,
) -> None:
    """Print a token for one service, or for each service as lines for a shell."""
    keys = StackState(folder).keys
    if audience is not None and audience not in SERVICES:
        raise typer.BadParameter(f"no service: {audience!r}; there are: {', '.join(SERVICES)}")
    if audience is not None:
        typer.echo(keys.token(audience, scope, subject, roles))
        return
    for service in SERVICES:
        typer.echo(f"export {service.upper()}_TOKEN={keys.token(service, scope, subject, roles)}")


@app.command()
def prepare() -> None:
    """Fetch Kafka's jars and make their class-data archive, unless they are there."""
    with console.status("Fetching Kafka and letting it run once (only the first time)"):
        jars.fetch_jars()
        ensure_archive()


@app.command()
def remove(folder: Folder = DEFAULT) -> None:
    """Delete the data of a stack that is down."""
    stack.remove_stack_folder(folder)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def redrive(context: typer.Context, service: str, folder: Folder = DEFAULT) -> None:
    """Apply a service's parked events again; further arguments go to `shared.redrive`."""
    state = StackState(folder)
    if service not in SERVICES:
        raise typer.BadParameter(f"no service: {service!r}; there are: {', '.join(SERVICES)}")
    program = processes.build_service_program(service, StackPlan(), state, processes.build_postgres_server(state))
    command = [sys.executable, "-m", "shared.redrive", service, *context.args]
    raise typer.Exit(subprocess.run(command, env=dict(os.environ) | dict(program.environment)).returncode)


@app.command(hidden=True)
def supervise(
    folder: Folder = DEFAULT,
    services: str = ",".join(SERVICES),
    durable: bool = True,
    log_level: str = "info",
    metrics: bool = False,
    proxy: Annotated[list[str] | None, typer.Option(help="NAME=PORT: services reach NAME through PORT.")] = None,
) -> None:
    """Run the stack in the foreground until SIGTERM or SIGINT."""
    proxies = {name: int(port) for name, port in (pair.split("=") for pair in proxy or ())}
    plan = StackPlan(tuple(filter(None, services.split(","))), durable, log_level, metrics, proxies)
    try:
        came_up = launcher.supervise_stack(StackState(folder), plan, typer.echo)
    except AlreadyRunningError as running:
        typer.echo(str(running), err=True)
        came_up = False
    raise typer.Exit(0 if came_up else 1)


def _start_detached(state: StackState) -> None:
    """Start a launcher that stays when we go, and wait for it; an interrupted wait takes it down again."""
    follow = stack.LogFollower(state.get_log_path("launcher"))
    process = stack.spawn_launcher(state, stack.launcher_arguments(state, metrics=True), attached=False)
    try:
        stack.wait_until_ready(state, process, follow, console.print)
    except BaseException:
        stack.stop_launcher(process)
        raise


def _health(state: StackState, name: str) -> str:
    if name in ("postgres", "kafka"):
        return "ready" if ports.is_port_answering(state.get_port(name)) else "does not answer"
    ready = monitoring.get_ready_url(state, name) if name in monitoring.PROGRAMS else f"{state.url(name)}/health/ready"
    try:
        answer = httpx2.get(ready, timeout=2, verify=state.tls.make_context())
    except httpx2.HTTPError:
        return "does not answer"
    return "ready" if answer.is_success else f"not ready: {answer.text[:200]}"


def _print_addresses(state: StackState) -> None:
    places = {f"{service} API": f"{state.url(service)}/docs" for service in SERVICES}
    places |= {
        "collection policy": f"{state.url('collections')}/policy",
        "mails that were sent": state.url("mailbox"),
        "vendor simulator": f"{state.url('vendor')}/docs",
        "business clock": f"{state.url('clock')}/docs",
        "Kafka": f"{ports.HOST}:{state.get_port('kafka')}",
    }
    running = state.list_running_processes()
    places |= {name.capitalize(): state.url(name) for name in monitoring.PROGRAMS if name in running}
    table = Table.grid(padding=(0, 3))
    for name, place in places.items():
        table.add_row(name, place)
    console.print(table)
    if missing := monitoring.list_missing_programs():
        console.print(f"No metrics are kept: {' and '.join(missing)} not installed")
    console.print("\nA token for the API pages: make token SERVICE=invoicing · to stop: make down")


def _print_log(name: str, lines: list[str], *, alone: bool) -> None:
    for line in lines:
        console.print(line if alone else f"{name:12} {line}", markup=False)


if __name__ == "__main__":
    app()
