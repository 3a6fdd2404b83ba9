"""Gradio's parts for files that visitors send, and its endpoint for them: each file lies in a folder of its own."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.routes
from fastapi import HTTPException
from gradio.data_classes import ListFiles
from gradio.route_utils import upload_fn

from app.state import uploads


async def _take(request: Any, upload_dir: Any, *settings: Any, **more: Any) -> Any:
    """Gradio's own reading of an upload, into a folder of its own; nothing stays of one that breaks off."""
    await asyncio.to_thread(uploads.sweep)
    if not await asyncio.to_thread(uploads.room):
        raise HTTPException(507, "more files wait to be read than the server has room for; try again in some minutes")
    place: Path | None = None
    try:
        place = uploads.make_folder()
        return await upload_fn(request, str(place), *settings, **more)
    except BaseException as error:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        if isinstance(error, OSError):
            text = f"the server can't keep the file: {error.strerror or error}; try again later"
            raise HTTPException(507, text) from None
        raise


def take_uploads() -> None:
    """Let Gradio's endpoint for uploads keep files here."""
    gradio.routes.upload_fn = _take  # pyright: ignore[reportPrivateImportUsage]


class _Sent:
    """What the components that take files have in common: the path as it is, and no address to fetch from."""

    def preprocess(self, payload: Any) -> Any:
        """The paths of what was sent, or the path if only one file can be."""
        if payload is None:
            return None
        paths = [file.path for file in (payload if isinstance(payload, ListFiles) else [payload])]
        return paths[0] if getattr(self, "file_count", "single") == "single" else paths

    async def async_move_resource_to_block_cache(self, url_or_file_path: Any) -> Any:
        """Nothing is fetched from elsewhere, or copied."""
        if url_or_file_path is not None and Path(os.path.realpath(url_or_file_path)).is_relative_to(uploads.folder()):
            return str(url_or_file_path)
        raise gr.Error("send the file itself; nothing is fetched from elsewhere", print_exception=False)


class File(_Sent, gr.File):
    """Gradio's field for a file."""

    def get_block_name(self) -> str:
        """The browser's part is Gradio's own."""
        return "file"


class UploadButton(_Sent, gr.UploadButton):
    """Gradio's button that sends a file."""

    def get_block_name(self) -> str:
        """The browser's part is Gradio's own."""
        return "uploadbutton"
