"""The API pages of an application, Swagger UI and ReDoc, with all that they need: nothing comes from the internet."""

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import FastAPI, HTTPException
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
"""Files of the package fastapi-offline, which carries both programs, and their media types."""
_STATIC = Path(str(files("fastapi_offline"))) / "static"
_FOLDER = "/docs/assets"
_DAY_SECONDS = 86_400
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def _allow_own(page: HTMLResponse) -> HTMLResponse:
    """Let a page load and run what this application gives out, and of what stands in the page just its own script."""
    scripts = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(bytes(page.body)))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in scripts)
    page.headers["content-security-policy"] = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return page


def add_api_pages(app: FastAPI) -> None:
    """Add `/docs`, `/redoc` and their files to an application that has no pages of its own."""

    @app.get("/docs", include_in_schema=False)
    async def show_swagger() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url=f"{_FOLDER}/swagger-ui-bundle.js",
            swagger_css_url=f"{_FOLDER}/swagger-ui.css",
            swagger_favicon_url=f"{_FOLDER}/favicon.png",
        )
        return _allow_own(page)

    @app.get("/redoc", include_in_schema=False)
    async def show_redoc() -> HTMLResponse:
        page = get_redoc_html(
            openapi_url="openapi.json",
            title=app.title,
            redoc_js_url=f"{_FOLDER}/redoc.standalone.js",
            redoc_favicon_url=f"{_FOLDER}/favicon.png",
            with_google_fonts=False,
        )
        return _allow_own(page)

    @app.get(_FOLDER + "/{name}", include_in_schema=False)
    async def get_asset(name: str) -> FileResponse:
        if name not in ASSETS:
            raise HTTPException(404, "there is no such file")
        caching = {"cache-control": f"public, max-age={_DAY_SECONDS}"}
        return FileResponse(_STATIC / name, media_type=ASSETS[name], headers=caching)
