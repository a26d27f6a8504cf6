"""`python -m deploy.grafana.pictures HOURS.json`: draw each dashboard of a good hour and of a bad one.

Grafana itself does not run here: its own panels (@grafana/ui) draw what Prometheus answered, and chromium takes the
picture.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.asking import QueryWindow, query_board

NODE = Path(__file__).parent / "node"
PICTURES = Path(__file__).parents[2] / "docs" / "dashboards"
WIDTH = 1600
ROW, GAP, HEAD = 30, 8, 60
SCRAPED = 0.5
VARIABLES = {"service": "collections"}
BOTH = ("gs-lifecycle", "gs-service", "gs-events", "gs-vendor-jobs")
"""What is drawn of a good hour too; the others of the bad one."""


def _browser() -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("chromium is not installed: make setup")
    return browser


def build_page_input(board: dict[str, Any], window: QueryWindow, caption: str) -> dict[str, Any]:
    """All that the page needs to draw one dashboard."""
    page_input = {"board": {"title": board["title"]}, "caption": caption, "from": window.begin, "to": window.end}
    page_input["step"] = window.step_seconds
    return page_input | {"width": WIDTH, "panels": list(query_board(window, board))}


def draw_dashboard_picture(page_input: dict[str, Any], target: Path) -> None:
    """Draw it, as a PNG with few colours."""
    bottom = max(panel["panel"]["gridPos"]["y"] + panel["panel"]["gridPos"]["h"] for panel in page_input["panels"])
    height = HEAD + int(bottom) * (ROW + GAP)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(NODE / "built", folder, dirs_exist_ok=True)
        shutil.copy(NODE / "picture.html", folder)
        (folder / "asked.js").write_text(f"window.ASKED = {json.dumps(page_input)};")
        _screenshot(folder, height)
        save_small_picture(folder / "shot.png", target)


def _screenshot(folder: Path, height: int) -> None:
    flags = ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--virtual-time-budget=8000")
    size, shot = f"--window-size={WIDTH},{height}", f"--screenshot={folder / 'shot.png'}"
    command = (
        _browser(),
        *flags,
        "--allow-file-access-from-files",
        f"--user-data-dir={folder / 'profile'}",
        size,
        shot,
    )
    page = (folder / "picture.html").as_uri()
    done = subprocess.run((*command, page), capture_output=True, text=True, check=False, timeout=90)
    if not (folder / "shot.png").exists():
        raise SystemExit(f"chromium took no picture:\n{done.stderr}")


def save_small_picture(shot: Path, target: Path) -> None:
    """Save the same picture with a palette, whose colours are as far apart as they can be: a quarter of the bytes."""
    with Image.open(shot) as image:
        few = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(target, optimize=True)


def main(
    hours: Annotated[Path, typer.Argument(help="what sandbox.hours has written")],
    only: Annotated[str, typer.Option(help="the beginning of a dashboard's uid")] = "",
    into: Annotated[Path, typer.Option(help="where the pictures go")] = PICTURES,
) -> None:
    """Draw all dashboards."""
    times = json.loads(hours.read_text())
    into.mkdir(exist_ok=True)
    for path in sorted(FOLDER.glob(f"{only}*.json")):
        board = json.loads(path.read_text())
        for kind in ("good", "bad") if path.stem in BOTH else ("bad",):
            begin, end = times[kind]
            window = QueryWindow(times["prometheus"], begin, end, SCRAPED, VARIABLES)
            draw_dashboard_picture(build_page_input(board, window, f"a {kind} hour"), into / f"{path.stem}-{kind}.png")
            typer.echo(f"{path.stem} in a {kind} hour")


if __name__ == "__main__":
    typer.run(main)
