"""A page in a real browser: it acts as it says, loads nothing, and can be read without scripts.

Chromium and its driver are those of the system; nothing is fetched for them.
"""

import os
import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

HOSTILE = "<img src=x onerror=document.title='harmed'>.png"
NAMES = [*(f"{number}.png" for number in range(1, 13)), HOSTILE]
FLAGS = ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "host-resolver-rules=MAP * ~NOTFOUND")


@pytest.fixture(scope="module")
def browser():
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        if os.environ.get("CI") == "true":
            pytest.fail("chromium and chromedriver are missing, which CI must have")
        pytest.skip("there is no chromium with chromedriver here")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=Service(driver)) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the path of the page of pairs of which one has a name that would do harm."""
    import numpy as np
    from PIL import Image

    from ffltool.cli import main

    folder, rng = tmp_path_factory.mktemp("page"), np.random.default_rng(1)
    for side in ("real", "fake"):
        (folder / side).mkdir()
        for name in NAMES:
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / side / name)
    path = folder / "page.html"
    arguments = [folder / "real", folder / "fake", "-m", "psnr,lfd,gain", "--html", path, "--workers", "1"]
    assert main(["metrics", *map(str, arguments)]) == 0
    return path


@pytest.fixture
def opened(browser, page):
    """Open the page, as bright and as wide as by default; after the test nothing must have complained."""
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get(page.as_uri())
    yield browser
    assert browser.get_log("browser") == []


def all_of(browser, selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def one(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def column(browser, number):
    """Return the texts of a column of the table of all pairs."""
    rows = "[...document.querySelectorAll('#all tbody tr')]"
    return browser.execute_script(f"return {rows}.map(row => row.cells[{number}].textContent.trim())")


def test_nothing_is_loaded_and_nothing_is_blocked(opened):
    script = "image => [image.complete, image.naturalWidth, image.currentSrc.slice(0, 5)]"
    sizes = opened.execute_script(f"return [...document.querySelectorAll('main img')].map({script})")
    assert len(sizes) > 50
    assert all(complete and width > 0 and kind == "data:" for complete, width, kind in sizes)
    fetched = opened.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith("data:") for name in fetched)
    colour = opened.execute_script("return getComputedStyle(document.querySelector('a')).color")
    assert colour == "rgb(11, 95, 165)"  # so the style was not blocked
    assert one(opened, "html").get_attribute("class") == "scripted"  # nor the script


def test_what_the_page_did_not_bring_is_blocked(browser, page, tmp_path):
    path = tmp_path / "page.html"
    intruder = "<script>document.title = 'harmed'</script><p style='color: red'>x</p></main>"
    path.write_text(page.read_text().replace("</main>", intruder))
    browser.get(path.as_uri())
    assert "harmed" not in browser.title
    messages = [entry["message"] for entry in browser.get_log("browser")]
    assert len(messages) == 2
    assert all("Content Security Policy" in message for message in messages)


def test_a_hostile_name_is_shown_and_does_no_harm(opened):
    assert HOSTILE in column(opened, 0)
    assert "harmed" not in opened.title
    assert all_of(opened, "[onerror], [src=x]") == []


def test_columns_are_sorted_by_mouse_and_by_keyboard(opened):
    names, scores = column(opened, 0), [float(text) for text in column(opened, 1)]
    assert names == NAMES
    by_name, by_score, *_ = all_of(opened, "#all th button")
    by_score.click()
    assert [float(text) for text in column(opened, 1)] == sorted(scores)
    heads = all_of(opened, "#all thead th")
    assert [head.get_attribute("aria-sort") for head in heads] == [None, "ascending", None]
    by_score.click()
    assert [float(text) for text in column(opened, 1)] == sorted(scores, reverse=True)
    assert heads[1].get_attribute("aria-sort") == "descending"
    opened.execute_script("arguments[0].focus()", one(opened, "#all .scroll"))
    ActionChains(opened).send_keys(Keys.TAB, Keys.ENTER).perform()
    assert opened.switch_to.active_element == by_name
    assert column(opened, 0)[:12] == NAMES[-1:] + NAMES[:11]
    ActionChains(opened).send_keys(Keys.SPACE).perform()
    assert column(opened, 0)[:2] == ["12.png", "11.png"]


def test_images_open_in_a_dialog_that_escape_closes(opened):
    first = one(opened, ".panels .zoom")
    dialog = one(opened, "dialog")
    assert not dialog.is_displayed()
    first.click()
    assert dialog.is_displayed()
    assert one(opened, "dialog img").get_attribute("src") == one(opened, ".panels img").get_attribute("src")
    width = one(opened, "dialog img").rect["width"]
    assert width > 16
    assert width % 16 == 0  # every pixel as large as the others
    assert opened.switch_to.active_element.text == "Close"
    caption = one(opened, "dialog p").text
    ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
    assert one(opened, "dialog p").text != caption
    ActionChains(opened).send_keys(Keys.ARROW_LEFT).perform()
    assert one(opened, "dialog p").text == caption
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    assert not dialog.is_displayed()
    assert opened.switch_to.active_element == first
    first.send_keys(Keys.ENTER)
    assert dialog.is_displayed()
    one(opened, "dialog button:nth-of-type(2)").click()
    assert not dialog.is_displayed()


def test_figures_open_too_and_a_click_on_them_closes(opened):
    one(opened, ".drawing .zoom").click()
    large = one(opened, "dialog img")
    assert large.get_attribute("src").startswith("data:image/svg+xml")
    assert large.rect["width"] > one(opened, ".drawing img").rect["width"]
    large.click()
    assert not one(opened, "dialog").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_and_its_figures_are_light_or_dark(opened, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    script = "return getComputedStyle(document.body).backgroundColor"
    assert opened.execute_script(script) == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 22, 26)"}[scheme]
    picture = one(opened, "picture")
    own = {"light": one(picture, "img").get_attribute("src"), "dark": one(picture, "source").get_attribute("srcset")}
    assert one(picture, "img").get_property("currentSrc") == own[scheme]


@pytest.mark.parametrize("width", [390, 320, 1280])
def test_no_screen_scrolls_sideways(opened, width):
    phone = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": width < 400}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    opened.refresh()
    seen, whole = opened.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert seen == width
    assert whole <= width


def test_the_page_can_be_read_without_scripts(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page.as_uri())
        nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    seen = {}
    for node in nodes:
        name = node.get("name", {}).get("value", "")
        if not node["ignored"]:
            seen.setdefault(node["role"]["value"], []).append(name)
    assert {"Scores", "Spectra", "Pairs", "All values"} <= set(seen["heading"])
    assert {"metric", "mean", "psnr (dB)"} <= set(seen["columnheader"])
    assert set(NAMES) <= set(seen["rowheader"])
    assert len(seen["image"]) > 50
    assert all(seen["image"])
    assert not {"button", "dialog"} & seen.keys()  # nothing that would do nothing


def test_every_button_has_a_name(opened):
    nodes = opened.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") == "button"]
    assert len(names) > 50
    assert all(names)


def test_the_driver_is_the_systems(browser):
    assert Path(browser.service.path) == Path(shutil.which("chromedriver"))
