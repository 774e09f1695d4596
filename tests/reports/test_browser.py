"""The report in headless Chromium: nothing is asked for, nothing complains, tables sort, and it fits a phone."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from alignment_gym.reports.study.figures import FIGURES
from alignment_gym.reports.study.html import write_page
from tests.reports.test_page import STUDY, TROUBLES, record

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1280, 900), (400, 850)
BROWSERS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
READABLE = 4.5  # contrast of text, WCAG 2.2, success criterion 1.4.3
CONTRAST = """
const light = (colour) => {
  const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const page = light(getComputedStyle(document.body).backgroundColor);
return [...document.querySelectorAll(arguments[0])].map((each) => {
  const [low, high] = [light(getComputedStyle(each).color), page].sort((first, second) => first - second);
  return (high + 0.05) / (low + 0.05);
});
"""
BOXES = """
return [...document.querySelectorAll("figure svg, svg.strip")].map((each) => {
  const box = each.getBoundingClientRect();
  return box.width * box.height;
});
"""
COLUMN = """
const rows = document.getElementById(arguments[0]).tBodies[0].rows;
return [...rows].map((row) => row.cells[arguments[1]].textContent);
"""


def program(names):
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.fail(f"{names[0]} is missing: apt-get install chromium chromium-driver", pytrace=False)
    return found


@pytest.fixture(scope="module")
def browser():
    """Give a headless Chromium that logs what it asks for."""
    if not find_spec("selenium"):
        pytest.fail("selenium is missing: pip install -e '.[browser]'", pytrace=False)
    chromium, driver = program(BROWSERS), program(DRIVERS)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(driver))
    yield found
    found.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of a report; `REPORT` names one of your own."""
    if own := os.environ.get("REPORT"):
        return Path(own).resolve().as_uri()
    mixed = [record(seed=seed, exploitation=0.3 * seed - 0.6, env="BoatRace-v0", recipe="dqn") for seed in range(9)]
    folder = tmp_path_factory.mktemp("report")
    records = [*STUDY, *mixed]
    figures = [drawn for drawn in (draw(records) for draw in FIGURES.values()) if drawn is not None]
    assert len(figures) >= 3
    write_page(records, TROUBLES, "a study", folder, figures=figures, details="How it was done.")
    return (folder / "index.html").as_uri()


@pytest.fixture
def opened(browser, address, tmp_path):
    """Give a function that opens the report so wide and high, dark or light, and takes a picture."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def show(size, scheme="light", name="", at=""):
        width, height = size
        measures = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
        chosen = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": chosen})
        browser.get("about:blank")
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(address)
        if at:
            browser.execute_script("document.getElementById(arguments[0]).scrollIntoView()", at)
        if name:
            browser.save_screenshot(str(folder / f"{name}.png"))
        return browser

    return show


def scroll_width(browser):
    return browser.execute_script("return document.documentElement.scrollWidth")


def test_nothing_complains_and_nothing_is_asked_for(opened, address):
    browser = opened(DESKTOP, name="desktop")
    assert browser.get_log("browser") == []
    asked = [entry["message"] for entry in browser.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert asked, "the page itself is seen, so that others would be"
    assert [each for each in asked if address not in each and '"url":"data:' not in each] == []


def test_figures_have_a_size(opened):
    areas = opened(DESKTOP, at="figures", name="figures").execute_script(BOXES)
    assert len(areas) >= 4
    assert min(area for area in areas if area) > 200
    closed = "details:not([open]) svg"
    hidden = opened(DESKTOP).execute_script(f"return document.querySelectorAll('{closed}').length")
    assert sum(area == 0 for area in areas) <= hidden


@pytest.mark.parametrize("keyboard", [False, True])
def test_a_heading_sorts_its_table_and_sorts_back(opened, keyboard):
    if os.environ.get("REPORT"):
        pytest.skip("of our own report only, whose numbers are known")
    browser = opened(DESKTOP)
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    table = "BoatRace-v0-seeds"
    head = browser.find_elements("css selector", f"#{table} thead th")
    place = next(number for number, each in enumerate(head) if each.text.startswith("E"))
    before = browser.execute_script(COLUMN, table, place)
    button = head[place].find_element("css selector", "button")
    seen = []
    for _ in range(3):
        button.send_keys("\ue007") if keyboard else button.click()
        seen.append((head[place].get_attribute("aria-sort"), browser.execute_script(COLUMN, table, place)))
    numbers = sorted(map(float, before))
    assert [order for order, _ in seen] == ["ascending", "descending", "none"]
    assert [list(map(float, column)) for _, column in seen[:2]] == [numbers, numbers[::-1]]
    assert numbers[0] < 0, "minus signs are read"
    assert seen[2][1] == before != seen[0][1]


def test_what_is_undefined_is_sorted_last_either_way(opened):
    if os.environ.get("REPORT"):
        pytest.skip("of our own report only, whose numbers are known")
    browser = opened(DESKTOP)
    table = browser.find_element("css selector", "#recipes ~ .scroll table")
    browser.execute_script("arguments[0].id = 'first'", table)
    heading = next(each for each in table.find_elements("css selector", "thead th") if each.text.startswith("hacks"))
    place = heading.get_property("cellIndex")
    for _ in range(2):
        heading.find_element("css selector", "button").click()
        column = browser.execute_script(COLUMN, "first", place)
        assert column[-1] == "E undefined"
        assert not column[0].startswith("E")


def test_it_fits_a_phone(opened):
    for place in ("main", "worlds", "figures", "definitions"):
        browser = opened(PHONE, at=place, name=f"phone-{place}")
        assert scroll_width(browser) <= PHONE[0]
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    assert scroll_width(browser) <= PHONE[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_are_readable_in_light_and_dark(opened, scheme):
    browser = opened(DESKTOP, scheme, name=scheme, at="worlds")
    grounds = [
        browser.execute_script("return getComputedStyle(document.querySelector(arguments[0])).backgroundColor", each)
        for each in ("body", ".card")
    ]
    assert grounds[1] == "rgb(255, 255, 255)", "figures are made for white"
    assert (grounds[0] == grounds[1]) == (scheme == "light")
    contrasts = browser.execute_script(CONTRAST, "p, li, td, th, nav a, summary, figcaption, dd, .notes, main a")
    assert min(contrasts) >= READABLE
