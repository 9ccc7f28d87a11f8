"""A Keras model as the bytes of a .keras file, the same bytes for the same model."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip can hold


def keras_bytes(model) -> bytes:
    """What `model.save` writes, without the date and time of saving."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return _undated(path)


def _undated(path: Path) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": "1980-01-01@00:00:00"}
                                     ).encode()
            target.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return result.getvalue()
