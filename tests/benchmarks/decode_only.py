"""Decode the files of folders with Pillow on all cores and do nothing else: the time no comparison can go below.

python tests/benchmarks/decode_only.py FOLDER...
"""

import multiprocessing
import os
import sys

from PIL import Image


def decode(path):
    with Image.open(path) as image:
        image.load()


def main():
    paths = [os.path.join(folder, name) for folder in sys.argv[1:] for name in sorted(os.listdir(folder))]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with multiprocessing.get_context(method).Pool(cores) as pool:
        pool.map(decode, paths)


if __name__ == "__main__":
    main()
