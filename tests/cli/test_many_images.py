"""Ten thousand pairs in little memory, and photographs of many sizes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# the peak of this program alone: what getrusage says starts at the size of the parent
MEMORY = """
import re, sys
from pathlib import Path
from ffltool.cli import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(status)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_ten_thousand_pairs_stay_within_60_mb(tmp_path, save):
    """The files are links to a few, which changes nothing for the reader."""
    for side in ("real", "fake"):
        originals = [save(tmp_path / f"{side}{i}.png", size=(8, 8)) for i in range(5)]
        (tmp_path / side).mkdir()
        for index in range(10_000):
            os.link(originals[index % 5], tmp_path / side / f"{index}.png")
    command = [sys.executable, "-c", MEMORY, "lfd", tmp_path / "real", tmp_path / "fake", "--json", "-"]
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    report, peak = result.stdout.rsplit("}", 1)
    assert json.loads(report + "}")["scores"][0]["images"] == 10_000
    assert int(peak) / 1024 <= 60


def test_jpeg_copies_of_real_textures(tmp_path, shared, run):
    real = shared / "data" / "dtd64" / "test"
    for path in real.iterdir():
        (tmp_path / "fake").mkdir(exist_ok=True)
        with Image.open(path) as image:
            image.convert("RGB").save(tmp_path / "fake" / f"{path.stem}.jpg", quality=60)
    status, out, _ = run("metrics", real, tmp_path / "fake", "-m", "psnr,ssim,lfd,mse", "--json", "-")
    report = json.loads(out)
    scores = {score["metric"]: score for score in report["scores"]}
    assert (status, report["real"]["images"], report["warnings"]) == (0, 240, [])
    expected = np.log(64 * 64 * 255**2) - scores["psnr"]["value"] * np.log(10) / 10
    # the identity of the means; the + 1 inside each logarithm is below 1e-4 for these errors
    assert scores["lfd"]["value"] == pytest.approx(expected, abs=1e-4)
    assert 0.5 < scores["ssim"]["value"] < 1


def test_photographs_of_mixed_sizes(tmp_path, shared, run):
    real = shared / "data" / "dtd_full"
    for path in sorted(real.rglob("*.jpg"))[::4]:
        fake = (tmp_path / path.relative_to(real)).with_suffix(".png")
        fake.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            small = image.convert("RGB").reduce(2)
            small.resize(image.size, Image.Resampling.BICUBIC).save(fake, compress_level=1)
    status, out, err = run(
        "metrics", real, tmp_path, "-m", "psnr,ssim,lfd,mse", "--pair", "stem", "--allow-unpaired", "--json", "-"
    )
    report = json.loads(out)
    assert (status, report["real"]["images"]) == (0, 25)
    assert len(report["real"]["sizes"]) > 5
    assert "LFD grows with the number of pixels" in err
