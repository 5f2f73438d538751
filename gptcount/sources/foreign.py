"""Files that are no specification and no .safetensors file: what they are, by name or first bytes, and the way out.

None of them is opened further than that: some could run code when they are read.
"""

from __future__ import annotations

import re
from pathlib import Path

CONVERT = "convert it to .safetensors, as save_pretrained of transformers does"

PICKLE = f"a PyTorch file, which could run code when it is read, and so is not opened; {CONVERT}"

KINDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"\.distcp$", "a part of a distributed PyTorch checkpoint (DCP); convert its folder with "
         "torch.distributed.checkpoint.format_utils.dcp_to_torch_save and save that as .safetensors"),
        (r"\.(bin|pt|pth|pkl|pickle|bin\.index\.json)$", PICKLE),
        (r"\.(onnx|onnx_data)$", "an ONNX graph; audit the checkpoint that it was exported from"),
        (r"\.(npz|npy)$", "NumPy arrays; save them with safetensors.numpy.save_file"),
        (r"\.nemo$", "a NeMo archive; convert it with NeMo's own exporter to a Hugging Face folder"),
        (r"\.(h5|hdf5|keras)$", "a Keras or TensorFlow file; "
         "load it with from_tf=True in transformers 4 and save_pretrained it"),
        (r"(\.ckpt(\.(index|meta|data-\S+))?|saved_model\.pb|\.tflite)$", "a checkpoint of Lightning or TensorFlow, "
         f"which is not opened; {CONVERT}"),
        (r"\.msgpack$", "a Flax file; load it with from_flax=True in transformers 4 and save_pretrained it"),
        (r"\.(engine|plan|trt)$", "a TensorRT engine; audit the checkpoint that it was built from"),
        (r"\.(mlmodel|mlpackage)$", "a Core ML model; audit the checkpoint that it was converted from"),
        (r"\.(zip|tar|gz|tgz|zst|7z)$", "an archive; unpack it and name the folder"),
    )
)  # fmt: skip
"""How a name ends, and what that is."""

BEGINNINGS = (
    (b"PK\x03\x04", f"a zip archive, as torch.save writes, and not opened; {CONVERT}"),
    (b"\x80", PICKLE),
    (b"\x89HDF", "an HDF5 file, of Keras or TensorFlow"),
    (b"\x93NUMPY", "a NumPy array; save it with safetensors.numpy.save_file"),
    (b"version https://", "a pointer of Git LFS to a file that was not fetched; run 'git lfs pull'"),
)
"""How a file begins, and what that is."""


def named(name: str) -> str | None:
    """What a file is, by its name, with the way out; None where the name says nothing."""
    return next((what for pattern, what in KINDS if pattern.search(name)), None)


def begun(start: bytes) -> str | None:
    """What a file is, by its first bytes, with the way out; None where they say nothing."""
    return next((what for begin, what in BEGINNINGS if start.startswith(begin)), None)


def inside(folder: Path) -> str | None:
    """What the first file of another kind in a folder is, and its name."""
    for name in sorted(entry.name for entry in folder.iterdir()):
        if what := named(name):
            return f"{name} is {what}"
    return None
