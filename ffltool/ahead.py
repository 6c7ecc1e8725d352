"""Work of networks on batches, started ahead of the results that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor

from ffltool import ranks

Results = Mapping[str, Tensor]


class Ahead:
    """A device that works on several batches while the next are decoded; a context manager.

    On the CPU each core takes a batch of its own: two threads of torch on one batch wait for one another, most of all
    where other work keeps the cores busy. On a GPU batches are copied there from pinned memory beside the arithmetic
    on those before, and nothing waits for it but the taking of results.

    Parameters
    ----------
    device : where tensors are made and work is done.
    """

    def __init__(self, device: torch.device | str) -> None:
        self.device = torch.device(device)
        self.on_gpu = self.device.type == "cuda"
        self.depth = ranks.cores() + 1 if self.device.type == "cpu" else 2  # batches that may be under way
        self._opened = ExitStack()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Ahead:
        if self.device.type == "cpu":
            self._pool = self._opened.enter_context(ThreadPoolExecutor(ranks.cores()))
            self._opened.callback(self._pool.shutdown, wait=False, cancel_futures=True)
        if self.on_gpu:
            self._opened.enter_context(torch.cuda.device(self.device))
            # the 10 bits of TF32, which convolutions would take otherwise, are a thousandth
            self._opened.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
            self._copying = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch says nothing of its types
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def tensor(self, images: Sequence[np.ndarray]) -> Tensor:
        """Return arrays of one shape as a batch on the device."""
        batch = torch.from_numpy(np.stack(images))
        if not self.on_gpu:
            # mps has no float64, which 16-bit images come in
            return batch.float().to(self.device) if self.device.type == "mps" else batch
        with torch.cuda.stream(self._copying):
            there = batch.pin_memory().to(self.device, non_blocking=True)
        torch.cuda.current_stream().wait_stream(self._copying)
        there.record_stream(torch.cuda.current_stream())
        return there

    def start(self, work: Callable[[], Results]) -> Callable[[], Results]:
        """Begin with `work`, and return what waits for its results and brings them to the CPU."""
        if self._pool is not None:
            return self._pool.submit(work).result
        results = work()
        if not self.on_gpu:
            return lambda: {name: value.cpu() for name, value in results.items()}
        arriving = {name: torch.empty_like(value, device="cpu", pin_memory=True) for name, value in results.items()}
        for name, value in results.items():
            arriving[name].copy_(value, non_blocking=True)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]  # nor here
        arrived.record()

        def wait() -> Results:
            arrived.synchronize()
            return arriving

        return wait
