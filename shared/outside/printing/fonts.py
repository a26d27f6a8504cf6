"""Fonts of the scripts that those of the system lack: Noto Sans for Chinese, Japanese, Korean, Arabic and Hebrew.

They come from packages of the Python environment, under the SIL Open Font License, so that a document looks the same
wherever it is printed (docs/decisions/0050). Fontconfig finds them by a configuration of its own.
"""

from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

PACKAGES = ("justmytype_intl_cjk", "justmytype_intl_rtl")
_SYSTEM = "/etc/fonts/fonts.conf"
_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<include ignore_missing="yes">{system}</include>
{folders}
</fontconfig>
"""


def list_font_folders() -> list[Path]:
    """List the folders with fonts of the packages that are installed; nothing of the packages is run."""
    specs = [find_spec(name) for name in PACKAGES]
    return [Path(spec.origin).parent / "fonts" for spec in specs if spec is not None and spec.origin]


def write_font_configuration(path: Path, system: str | None = None) -> None:
    """Write a configuration of fontconfig that has the system's fonts, or those of another one, and ours."""
    folders = "\n".join(f"<dir>{escape(str(folder))}</dir>" for folder in list_font_folders())
    path.write_text(_CONFIGURATION.format(system=escape(system or _SYSTEM), folders=folders))
