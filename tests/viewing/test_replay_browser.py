"""The replay in headless Chromium: driven by real keys and by dragging, on a desktop and on a phone."""

import os
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from alignment_gym.viewing.replay import Imprint, Take, write_replay
from alignment_gym.viewing.templating import signed_in_print as signed
from tests.reports.test_browser import DESKTOP, FLAGS, program
from tests.viewing.test_replay import played

pytestmark = pytest.mark.browser

PHONE = (360, 740)
PATIENCE = 20.0  # seconds
RIGHT, LEFT, HOME, END = "\ue014", "\ue012", "\ue011", "\ue010"
SCRUBBER = ".scrub input"
NUMBERS = [
    0.0,
    -0.0,
    0.004,
    -0.004,
    0.005,
    0.125,
    -0.375,
    2.675,
    -12.3,
    999.99,
    999.995,
    999.996,
    -1000.0,
    1000.5,
    1001.5,
]
NUMBERS += [1234.496, -1234.504, 0.1 + 0.2, 44.00000000000004, 1e6 + 0.5, 123456789.125]
COUNT_GLIDES = """
const asked = requestAnimationFrame;
window.glides = 0;
requestAnimationFrame = (paint) => { window.glides += 1; return asked(paint); };
"""


@pytest.fixture(scope="module")
def browser():
    if not find_spec("selenium"):
        pytest.fail("selenium is missing: pip install -e '.[browser]'", pytrace=False)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program(("chromium", "chromium-browser", "google-chrome"))
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(program(("chromedriver",))))
    yield found
    found.quit()


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    return [played("SensorCleaner-v0", name, horizon=40) for name in ("exploit", "intended")]


@pytest.fixture(scope="module")
def race() -> Take:
    return played("BoatRace-v0", "exploit")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, takes, race):
    folder = tmp_path_factory.mktemp("replays")
    imprint = Imprint("alignment-gym record exploit --env BoatRace-v0 -o race.html", "@software{alignment_gym,\n}")
    write_replay(folder / "pair.html", takes, imprint)
    write_replay(folder / "race.html", [race], imprint)
    write_replay(folder / "unlike.html", [takes[0], replace(takes[1], frames=tuple(map(easier, takes[1].frames)))])
    return {name: (folder / f"{name}.html").as_uri() for name in ("pair", "race", "unlike")}


def easier(frame):
    """Return a frame of a world in which more can be earned."""
    return replace(frame, proxy_range=(0.0, 1234.5), true_range=(-1.0, 77.0))


@pytest.fixture
def opened(browser, addresses):
    """Give a function that opens a replay and waits until it is drawn."""

    def show(name, size=DESKTOP, scheme="light", motion="no-preference", told="paused"):
        width, height = size
        phone = width < 600
        measures = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        chosen = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in chosen.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get("about:blank")
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(f"{addresses[name]}#{told}")
        until(lambda: browser.execute_script("return document.querySelector('.tip') !== null"))
        return browser

    return show


def until(asked):
    """Wait until something is so."""
    patience = time.monotonic() + PATIENCE
    while not asked():
        assert time.monotonic() < patience, "it never was"
        time.sleep(0.02)


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def find(browser, what):
    return browser.find_element("css selector", what)


def step(browser):
    return int(find(browser, ".counter").text.split()[1])


def shown(browser, kind, side=0):
    return browser.find_elements("css selector", f".{kind} output")[side].text


def keep(browser, name):
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(Path(folder) / f"replay-{name}.png"))


def test_nothing_complains_and_nothing_is_asked_for(opened, addresses):
    browser = opened("pair")
    press(browser, RIGHT, END, HOME)
    assert browser.get_log("browser") == []
    asked = [entry["message"] for entry in browser.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert asked, "the page itself is seen, so that others would be"
    assert [each for each in asked if addresses["pair"] not in each and '"url":"data:' not in each] == []


def test_keys_step_through_the_ledger(opened, race):
    browser = opened("race")
    for number in (1, 2, 3):
        press(browser, RIGHT)
        frame = race.frames[number]
        assert step(browser) == number
        assert shown(browser, "proxy") == signed(frame.ledger.proxy_return)
        assert shown(browser, "true") == signed(frame.ledger.true_return)
    press(browser, LEFT)
    assert step(browser) == 2
    press(browser, END)
    assert (step(browser), shown(browser, "proxy")) == (100, signed(race.last.ledger.proxy_return))
    keep(browser, "desktop-end")
    press(browser, RIGHT)
    assert step(browser) == 100, "there is no further"
    press(browser, HOME)
    assert (step(browser), shown(browser, "proxy")) == (0, "0.00")


def test_only_a_step_on_glides(opened):
    browser = opened("race", told="step=2")
    browser.execute_script(COUNT_GLIDES)
    press(browser, LEFT, END, HOME)
    find(browser, ".true .plot").click()
    assert browser.execute_script("return glides") == 0
    press(browser, HOME, RIGHT)
    assert browser.execute_script("return glides") > 0


def test_space_plays_and_pauses_and_brackets_change_the_speed(opened):
    browser = opened("race")
    speed = find(browser, "select")
    assert speed.get_attribute("value") == "8"
    press(browser, "]", "]", "[", "]", "]")
    assert speed.get_attribute("value") == "60"
    press(browser, " ")
    until(lambda: step(browser) >= 5)
    press(browser, " ")
    stood = step(browser)
    time.sleep(0.15)
    assert step(browser) == stood
    press(browser, " ")
    until(lambda: step(browser) == 100)
    assert find(browser, "[data-does=toggle]").get_attribute("aria-label") == "play", "it stops at the end"
    press(browser, " ")
    until(lambda: 0 <= step(browser) < 60)


def test_space_on_a_focused_button_presses_it_once(opened):
    browser = opened("race")
    browser.execute_script("document.querySelector('[data-does=on]').focus()")
    press(browser, " ")
    assert step(browser) == 1


def test_dragging_the_scrubber_moves_both_sides(opened, takes):
    browser = opened("pair")
    box = browser.execute_script(f"return document.querySelector('{SCRUBBER}').getBoundingClientRect().toJSON()")
    y = box["y"] + box["height"] / 2
    for kind, share in (("mousePressed", 0.02), ("mouseMoved", 0.3), ("mouseMoved", 0.5), ("mouseReleased", 0.5)):
        facts = {"type": kind, "x": box["x"] + share * box["width"], "y": y, "button": "left", "buttons": 1}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {**facts, "clickCount": 1})
    assert step(browser) == 20
    for side, each in enumerate(takes):
        assert shown(browser, "true", side) == signed(each.frames[20].ledger.true_return)
        assert shown(browser, "proxy", side) == signed(each.frames[20].ledger.proxy_return)
    keep(browser, "desktop-pair")


def test_a_click_on_a_plot_goes_to_its_step(opened):
    from selenium.webdriver.common.action_chains import ActionChains

    browser = opened("race")
    plot = find(browser, ".true .plot")
    ActionChains(browser).move_to_element_with_offset(plot, -2, 0).click().perform()
    assert step(browser) == 50
    ActionChains(browser).move_to_element_with_offset(plot, plot.size["width"] // 2 - 2, 0).click().perform()
    assert step(browser) == 100


def test_the_exploit_is_marked_from_its_moment_on(opened, race):
    browser = opened("race", told=f"step={race.last.exploited_at - 1}")
    banner, flag = find(browser, ".exploit"), find(browser, ".true .flag")
    assert (banner.is_displayed(), flag.is_displayed()) == (False, False)
    press(browser, RIGHT)
    assert (banner.is_displayed(), flag.is_displayed()) == (True, True)
    assert banner.text.endswith(f"circuit, step {race.last.exploited_at}")
    press(browser, END, "e")
    assert step(browser) == race.last.exploited_at


def test_the_last_events_stand_with_both_weights(opened, takes):
    browser = opened("pair", told="step=30")
    first = find(browser, ".events tbody tr").text.split()
    line = takes[0].frames[30].ledger.lines[0]
    assert first[:2] == ["30", line.action]
    assert first[-2:] == [signed(0.0), signed(line.true_reward)]


def test_it_plays_by_itself_unless_motion_is_unwanted(opened):
    browser = opened("race", told="")
    until(lambda: step(browser) > 0)
    browser = opened("race", told="", motion="reduce")
    time.sleep(1.6)
    assert step(browser) == 0
    press(browser, RIGHT)
    assert step(browser) == 1


def test_the_drawing_changes_with_the_step_and_is_drawn_at_all(opened):
    browser = opened("race")
    pixels = "return document.querySelector('canvas').toDataURL()"
    before = browser.execute_script(pixels)
    press(browser, END)
    time.sleep(0.3)
    after = browser.execute_script(pixels)
    assert len(before) > 10_000
    assert before != after
    press(browser, HOME)
    assert browser.execute_script(pixels) == before


@pytest.mark.parametrize("name", ["race", "pair"])
def test_it_fits_a_phone_and_a_finger(opened, name):
    browser = opened(name, PHONE, told="step=30")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    for control in browser.find_elements("css selector", ".controls button, .controls select, .scrub input"):
        assert control.size["height"] >= 44
        assert control.is_displayed()
    keep(browser, f"phone-{name}")
    box = find(browser, SCRUBBER).rect
    scrolled = browser.execute_script("return scrollY")
    y = box["y"] - scrolled + box["height"] / 2
    points = [box["x"] + share * box["width"] for share in (0.3, 0.5, 0.75)]
    for kind, x in zip(("touchStart", "touchMove", "touchMove"), points, strict=True):
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    last = int(find(browser, SCRUBBER).get_attribute("max"))
    assert abs(step(browser) - 0.75 * last) <= 0.03 * last


def test_dark_is_dark(opened):
    browser = opened("race", scheme="dark", told="step=60")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)"
    keep(browser, "desktop-dark")
    browser = opened("pair", PHONE, scheme="dark", told="step=20")
    keep(browser, "phone-dark")


def test_what_is_embedded_leaves_the_words_to_the_page_around_it(opened):
    browser = opened("race", told="paused&embedded")
    assert not find(browser, ".about").is_displayed()
    assert find(browser, "canvas").is_displayed()


def test_numbers_read_as_python_writes_them(opened):
    assert opened("race").execute_script("return arguments[0].map(signed)", NUMBERS) == list(map(signed, NUMBERS))


def test_best_possible_stands_once_or_for_each_side(opened, takes):
    def rows(name):
        table = opened(name).find_elements("css selector", ".ends tr.soft")
        return [row.text for row in table]

    one = takes[0].last
    numbers = f"{signed(one.proxy_range[1])} {signed(one.true_range[1])}"
    assert rows("pair") == [f"best possible, each on average {numbers}"]
    first, second = (each.last.who for each in takes)
    assert rows("unlike") == [
        f"best possible for {first}, each on average {numbers}",
        f"best possible for {second}, each on average +1234 +77.00",
    ]


def test_the_page_may_ask_for_nothing(opened):
    policy = find(opened("race"), "meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'; img-src data:;")
