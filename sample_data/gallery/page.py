"""Take the pictures of pages that the README shows; wants the extra `test`, and Chromium with its driver."""

from __future__ import annotations

import os
import runpy
import shlex
import shutil
import tempfile
from pathlib import Path

from PIL import Image, ImageOps
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from ffltool.cli import main

GALLERY = Path(__file__).parent
WIDTH = 1200  # pixels of the window
FRAME = "#d0d4da"  # where the page ends and the README goes on
FLAGS = ("headless=new", "no-sandbox", "disable-dev-shm-usage", "hide-scrollbars")


def photograph(page: Path, picture: Path, *, height: int) -> None:
    """Save what a browser shows of the top of a page."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    with webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver"))) as browser:
        window = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
        browser.get(page.as_uri())
        browser.save_screenshot(str(picture))
    with Image.open(picture) as image:
        ImageOps.expand(image.convert("RGB"), border=2, fill=FRAME).save(picture)


if __name__ == "__main__":
    make = runpy.run_path(str(GALLERY / "make.py"))
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        Path("sample_data").symlink_to(GALLERY.parent)
        for picture, (command, height) in make["PAGES"].items():
            main([*shlex.split(command), "--quiet"])
            photograph(Path(name, command.split()[-1]), Path(picture), height=height)
            make["shrink"](Path(picture), GALLERY / picture)
        os.chdir(GALLERY)
