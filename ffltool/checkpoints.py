"""What is in a weight file: the tensors of a network, and hashes of the file and of the tensors."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool.errors import MissingWeightsError, WeightsError
from ffltool.networks import FILES, HEADS, SHAPES

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 1 << 20


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits.

    Raises
    ------
    WeightsError : if it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def digest_of_tensors(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of the tensors' bytes, one after the other: it stays when they are saved anew."""
    digest = hashlib.sha256()
    for tensor in tensors.values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def read(path: Path, name: str) -> dict[str, Tensor]:
    """Return a network's tensors in its own order, float32, from a whole checkpoint or one of the features alone.

    Raises
    ------
    WeightsError : for a file that PyTorch cannot read without running code of the file, or that lacks tensors of the
        network, or has others in their place.
    """
    import torch  # here, for the hash of a published file can be compared without it, and it takes a second to load

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an odd pickle; what it holds is looked at below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes lead a pickle anywhere
        sizes = f"it has {path.stat().st_size} bytes, the published file {FILES[name].size}"
        raise WeightsError(f"{path} is damaged, or no file of weights: {sizes}") from error
    tensors = {}
    if isinstance(content, Mapping):
        tensors = {str(key).removeprefix("features."): value for key, value in content.items()}
    shapes = SHAPES[name]
    missing = [key for key in shapes if not isinstance(tensors.get(key), torch.Tensor)]
    if missing:
        lack = f"{len(missing)} of {len(shapes)} tensors are missing, first {missing[0]}"
        raise WeightsError(f"{path} does not hold {name}: {lack}")
    for key, shape in shapes.items():
        if tuple(tensors[key].shape) != shape:
            raise WeightsError(f"{path} does not hold {name}: {key} has shape {tuple(tensors[key].shape)}, not {shape}")
        if not _is_plain(tensors[key]):
            raise WeightsError(f"{path} does not hold {name}: {key} is no array of finite floating-point numbers")
    return {key: tensors[key].detach().to(torch.float32).contiguous() for key in shapes}


def _is_plain(tensor: Tensor) -> bool:
    import torch

    here = tensor.layout is torch.strided and tensor.device.type == "cpu"
    return here and tensor.is_floating_point() and bool(tensor.float().isfinite().all())


def heads(backbone: str) -> list[Tensor]:
    """Return the linear heads of LPIPS v0.1 for "alex", "vgg" or "squeeze", one of shape (1, C, 1, 1) for each layer.

    They are read from the files of the installed package `lpips`, which is not imported: it would load torchvision.

    Raises
    ------
    WeightsError : if the package (MissingWeightsError) or its file is missing, or the file is not the published one.
    """
    import torch

    spec = importlib.util.find_spec("lpips")
    if spec is None or not spec.submodule_search_locations:
        raise MissingWeightsError("LPIPS needs the heads that the package lpips holds; `pip install lpips` brings them")
    path = Path(spec.submodule_search_locations[0]) / "weights" / "v0.1" / f"{backbone}.pth"
    if digest_of_file(path) != HEADS[backbone]:
        raise WeightsError(f"{path} does not hold the published heads of LPIPS v0.1; reinstalling lpips brings them")
    content = torch.load(path, map_location="cpu", weights_only=True)
    return [content[key] for key in sorted(content)]
