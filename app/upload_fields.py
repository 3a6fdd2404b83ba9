"""Gradio's parts for files that visitors send, and its endpoint for them: each file lies in a folder of its own."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.routes
from fastapi import HTTPException
from gradio.data_classes import FileData, ListFiles
from gradio.route_utils import upload_fn
from gradio_client.utils import is_file_obj_with_meta
from pydantic import ConfigDict

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
        if (path := uploads.named(url_or_file_path)) is not None:
            return path
        raise gr.Error(uploads.SEND_IT, print_exception=False)


class File(_Sent, gr.File):
    """Gradio's field for a file."""

    def get_block_name(self) -> str:
        """The browser's part is Gradio's own."""
        return "file"


class _OneFile(FileData):
    """A file that is sent, as handle_file(path) of gradio_client makes one."""  # which programs read

    model_config = ConfigDict(title=FileData.__name__)  # by which Gradio tells that a file is to be sent

    @classmethod
    def model_validate(cls, obj: Any, **more: Any) -> Any:
        """As Gradio's, which would answer what is no file with an accident of its own."""
        if not is_file_obj_with_meta(obj):
            raise gr.Error(uploads.SEND_IT, print_exception=False)
        return super().model_validate(obj, **more)


class EndpointFile(File):
    """A file among the parameters of an endpoint; there is nothing of it on the page."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.data_model = _OneFile


class UploadButton(_Sent, gr.UploadButton):
    """Gradio's button that sends a file."""

    def get_block_name(self) -> str:
        """The browser's part is Gradio's own."""
        return "uploadbutton"
