"""Take the picture of a page that the README shows; wants the extra `test`, and Chromium with its driver."""

from __future__ import annotations

import os
import runpy
import shutil
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from ffltool.cli import main

GALLERY = Path(__file__).parent
WIDTH, HEIGHT = 1200, 1560  # pixels of the window
FLAGS = ("headless=new", "no-sandbox", "disable-dev-shm-usage", "hide-scrollbars")


def photograph(page: Path, picture: Path) -> None:
    """Save what a browser shows of the top of a page."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    with webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver"))) as browser:
        window = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
        browser.get(page.as_uri())
        browser.save_screenshot(str(picture))


if __name__ == "__main__":
    make = runpy.run_path(str(GALLERY / "make.py"))
    with tempfile.TemporaryDirectory() as name:
        page, picture = Path(name) / "page.html", Path(name) / "page.png"
        os.chdir(GALLERY.parents[1])  # whose name is nobody's business
        arguments = ["sample_data/real", "sample_data/fake", "--limit", "12", "-m", "psnr,ssim,lfd,lsd"]
        main(["metrics", *arguments, "--html", str(page), "--quiet"])
        photograph(page, picture)
        make["shrink"](picture, GALLERY / "page.png")
