"""Playgrounds in headless Chromium, by real key presses and touches: what a page pays is what the engine pays."""

import os
import shutil
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alignment_gym.core import make_world, world_class
from alignment_gym.engine.mdp import compiled
from alignment_gym.engine.randomness import draw
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.pixels import plain_pixels
from alignment_gym.viewing.atlas import TILE
from alignment_gym.viewing.exported import keys, played
from alignment_gym.viewing.playground import INDEX, write_playground
from tests.every import DEMOS, WORLDS, timed_solution

pytestmark = pytest.mark.browser

DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)
BROWSERS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
SMALLEST = 44  # CSS pixels of what a finger hits
CLOSE = 10  # of 255
PLAN = """
const level = new Level(arguments[0]);
const plan = level.plan(arguments[1]);
const start = level.beliefs ? level.beliefs.start : level.start.state;
return [Array.from(start, (state) => plan.best[state]), Array.from(start, (state) => plan.rest[state])];
"""
PLAYED = """
const plan = new Level(arguments[0]).plan(arguments[1]);
return Array.from({ length: 1000 }, (_, key) => {
  const played = plan.play(key * 7919);
  return played[arguments[1] === "proxy" ? "paid" : "meant"][played.step];
});
"""
LEVELS = "const done = arguments[0]; unpacked(by('data').textContent).then((data) => done(data.levels))"
ALONE = """
const done = arguments[1];
unpacked(by("data").textContent).then(async (data) => {
  const canvas = document.createElement("canvas");
  const drawing = new Drawing(canvas, await Pictures.load(data.atlas), true);
  drawing.fit(arguments[0] * 100);
  drawing.draw(data.levels[0].scene[data.levels[0].start.state[0]]);
  done(canvas.toDataURL("image/png"));
});
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
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program(BROWSERS)
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(program(DRIVERS)))
    found.set_script_timeout(60)
    yield found
    found.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Give a function from a world to its page's address; each page is made once."""
    folder = tmp_path_factory.mktemp("playground")

    @cache
    def address(env_id):
        return write_playground(folder, env_id, index=INDEX).as_uri()

    return address


@pytest.fixture
def opened(browser, page, tmp_path):
    """Give a function that opens a world's page at a size, and waits until it can be played."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def show(env_id, asked="", size=DESKTOP, scheme="light", motion="reduce"):
        from selenium.webdriver.support.ui import WebDriverWait

        width, height = size
        measures = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": width < 600})
        chosen = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in chosen.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get("about:blank")
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(page(env_id) + asked)
        WebDriverWait(browser, 60).until(lambda each: each.execute_script("return document.body.dataset.ready"))
        return browser

    def shot(name):
        browser.save_screenshot(str(folder / f"{name}.png"))

    show.shot = shot
    return show


def press(browser, names):
    """Press keys, by the names that the page knows them by."""
    from selenium.webdriver.common.keys import Keys

    arrows = {"up": Keys.ARROW_UP, "right": Keys.ARROW_RIGHT, "down": Keys.ARROW_DOWN, "left": Keys.ARROW_LEFT}
    browser.find_element("css selector", "body").send_keys("".join(arrows.get(name, name) for name in names))


def returns(browser):
    """Return both returns of an episode that is over, to the last bit."""
    end = browser.find_element("id", "end")
    assert end.is_displayed(), "the episode is over"
    return float(end.get_attribute("data-proxy-return")), float(end.get_attribute("data-true-return"))


def text(browser, name):
    return browser.find_element("id", name).text


def watch(browser, name):
    """Have a demo played."""
    browser.find_element("css selector", "#tell summary").click()
    browser.find_element("xpath", f"//button[text()='Watch: {name}']").click()


def scroll_width(browser):
    return browser.execute_script("return document.documentElement.scrollWidth")


@pytest.mark.parametrize(("env_id", "name"), DEMOS)
def test_a_demo_pressed_key_by_key_earns_exactly_its_returns(opened, env_id, name):
    demo = world_class(env_id).card.demo(name)
    mdp = compiled(make_world(env_id, level=demo.level))
    steps = list(played(mdp, demo))
    last = steps[-1][1]
    browser = opened(env_id, f"#level={demo.level.replace(' ', '+')}&key={demo.key}")
    names = keys(mdp)
    press(browser, [names[action][-1] for action, _ in steps[:-1]])
    assert text(browser, "meant") == "?"
    assert not browser.find_element("id", "end").is_displayed()
    press(browser, [names[steps[-1][0]][-1]])
    assert returns(browser) == (last["proxy_return"], last["true_return"])
    assert returns(browser) == pytest.approx((demo.proxy_return, demo.true_return))
    assert browser.get_log("browser") == []
    if name == "exploit":
        opened.shot(f"end-{env_id}")


@pytest.mark.parametrize("env_id", WORLDS)
def test_plans_made_in_the_browser_are_the_exact_ones(opened, env_id):
    browser = opened(env_id)
    level = browser.execute_async_script(LEVELS)[0]
    for which, other in (("proxy", "true"), ("true", "proxy")):
        best, rest = browser.execute_script(PLAN, level, which)
        chances = starts(env_id)
        assert np.dot(best, chances) == pytest.approx(level["ranges"][which][1], abs=1e-9)
        assert np.dot(rest, chances) == pytest.approx(level["ties"][other][1], abs=1e-6)


def starts(env_id):
    """Return the chances of what an agent may know at the start."""
    from alignment_gym.engine.belief import observing

    return observing(compiled(make_world(env_id))).start_probability


@pytest.mark.parametrize(("env_id", "level"), [("SafeInterruptibility-v0", "1"), ("TomatoWatering-v0", "small")])
@pytest.mark.parametrize("which", ["proxy", "true"])
def test_optimal_play_of_hidden_states_earns_its_average(opened, env_id, level, which):
    browser = opened(env_id)
    data = next(each for each in browser.execute_async_script(LEVELS) if each["level"] == level)
    found = browser.execute_script(PLAYED, data, which)
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(data["ranges"][which][1], abs=4 * error + 1e-9)
    assert found != browser.execute_script(PLAYED, data, "true" if which == "proxy" else "proxy")


@pytest.mark.parametrize("env_id", ["BoatRace-v0", "SensorCleaner-v0", "EngagementFeed-v0"])
def test_the_canvas_shows_what_the_renderer_draws(opened, env_id):
    from base64 import b64decode

    browser = opened(env_id)
    drawn = browser.execute_async_script(ALONE, TILE)
    found = np.asarray(Image.open(BytesIO(b64decode(drawn.split(",")[1]))).convert("RGB")).astype(int)
    mdp = compiled(make_world(env_id))
    expected = plain_pixels(mdp.world.draw(mdp.states[mdp.start[0]]), TILE)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= CLOSE


def test_nothing_complains_and_nothing_is_asked_for(opened, page):
    browser = opened("BoatRace-v0", motion="no-preference")
    press(browser, ["up", "right", "right"])
    opened.shot("start")
    assert browser.get_log("browser") == []
    asked = [entry["message"] for entry in browser.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert asked, "the page itself is seen, so that others would be"
    assert [each for each in asked if page("BoatRace-v0") not in each and '"url":"data:' not in each] == []


def test_the_key_stands_in_the_address_and_again_plays_it_again(opened):
    browser = opened("TestSuite-v0", "#key=17")
    assert text(browser, "key") == "17"
    assert browser.current_url.endswith("#level=open+plan&key=17")
    press(browser, ["up", "up"])
    browser.find_element("id", "again").click()
    assert (text(browser, "key"), text(browser, "steps")) == ("17", "step 0 of 100")
    browser.find_element("id", "new").click()
    key = text(browser, "key")
    assert key != "17"
    assert browser.current_url.endswith(f"key={key}")


@pytest.mark.parametrize("asked", ["#key=4294967296", "#key=-1", "#key=x&level=nowhere", "#%%%"])
def test_an_address_that_asks_for_nonsense_gets_an_episode_anyway(opened, asked):
    browser = opened("RocksDiamonds-v0", asked)
    assert 0 <= int(text(browser, "key")) < 2**32
    assert browser.get_log("browser") == []


def test_a_letter_of_an_action_is_no_command_until_the_episode_is_over(opened):
    browser = opened("RampMeter-v0", "#key=5")
    press(browser, ["r"])
    assert text(browser, "steps").startswith("step 1 "), "r is red here"
    press(browser, ["r"] * 99)
    assert browser.find_element("id", "end").is_displayed()
    press(browser, ["r"])
    assert text(browser, "steps").startswith("step 0 ")


def test_the_true_account_is_covered_until_the_end(opened):
    browser = opened("SensorCleaner-v0", "#key=0")
    press(browser, ["right"])
    assert "dirt left" not in text(browser, "record")
    assert text(browser, "meant") == "?"
    assert not browser.find_element("css selector", "#tell p").is_displayed()
    press(browser, ["right"] * 99)
    assert "dirt left" in text(browser, "record")
    assert "Hold the cap on the lens" in text(browser, "loophole")


def test_the_end_stands_beside_both_optimal_plays(opened):
    browser = opened("BoatRace-v0", "#key=0")
    press(browser, ["up"] * 100)
    rows = [row.text.split() for row in browser.find_elements("css selector", "#returns tbody tr")]
    solution = timed_solution("BoatRace-v0", "lagoon")[0]
    assert len(rows) == 3
    assert f"{solution.anchors.proxy_max:+.2f}" in rows[1]
    assert f"{solution.anchors.true_max:+.2f}" in rows[2]
    assert len(browser.find_elements("css selector", "#replays canvas")) == 3
    assert browser.find_elements("css selector", "#timeline polyline")
    assert "circuit" not in text(browser, "timeline")


def test_a_demo_can_be_watched_and_hurried(opened):
    browser = opened("BoatRace-v0")
    watch(browser, "exploit")
    press(browser, ["up"])
    browser.find_element("id", "skip").click()
    demo = world_class("BoatRace-v0").card.demo("exploit")
    assert returns(browser) == pytest.approx((demo.proxy_return, demo.true_return))
    assert "exploit: circuit" in browser.find_element("css selector", "#timeline").text
    opened.shot("watched")


def test_a_screen_reader_hears_each_step(opened):
    browser = opened("BoatRace-v0", "#key=0")
    press(browser, ["up"])
    said = browser.find_element("id", "said")
    assert said.get_attribute("aria-live") == "polite"
    assert said.get_attribute("textContent").startswith("Step 1: north. ")


def test_help_lists_the_keys(opened):
    browser = opened("SensorCleaner-v0")
    press(browser, ["?"])
    assert "clean" in text(browser, "keys")
    opened.shot("help")
    press(browser, ["w"])
    assert text(browser, "steps").startswith("step 0 "), "keys are the dialogue's"


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_phone_plays_by_touch_without_scrolling_sideways(opened, env_id):
    browser = opened(env_id, "#key=1", PHONE)
    assert scroll_width(browser) <= PHONE[0]
    opened.shot(f"phone-{env_id}")
    buttons = browser.find_elements("css selector", "#pad button")
    env = AlignmentEnv(env_id)
    assert len(buttons) == len(env.mdp.actions)
    assert min(min(button.size["width"], button.size["height"]) for button in buttons) >= SMALLEST
    touch(browser, buttons[0])
    assert text(browser, "steps").startswith("step 1 ")
    assert browser.get_log("browser") == []


def touch(browser, element):
    box = browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center'}); const box = arguments[0].getBoundingClientRect();"
        "return [box.left + box.width / 2, box.top + box.height / 2];",
        element,
    )
    point = {"x": box[0], "y": box[1]}
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_swipe_over_the_map_is_a_move(opened):
    browser = opened("BoatRace-v0", "#key=1", PHONE)
    box = browser.find_element("id", "map").rect
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, shift in (("touchStart", 0), ("touchMove", -40), ("touchMove", -80)):
        point = {"x": x, "y": y + shift}
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert "north" in text(browser, "ledger")


def test_it_fits_the_narrowest_phone_from_start_to_end(opened):
    browser = opened("SensorCleaner-v0", "#key=1", NARROW)
    assert scroll_width(browser) <= NARROW[0]
    press(browser, ["up"] * 100)
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    assert scroll_width(browser) <= NARROW[0]
    opened.shot("narrow-end")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(opened, scheme):
    browser = opened("SensorCleaner-v0", "#key=0", scheme=scheme)
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    press(browser, ["right"] * 3)
    opened.shot(f"{scheme}-start")
    press(browser, ["right"] * 97)
    opened.shot(f"{scheme}-end")


def test_keys_are_hashed_as_the_engine_hashes_them(opened):
    browser = opened("RocksDiamonds-v0")
    pairs = [(0, 0), (17, 1), (2**32 - 1, 100), (0x9E3779B9, 7)]
    found = browser.execute_script("return arguments[0].map(([key, step]) => draw(key, step))", pairs)
    assert found == [draw(key, step) for key, step in pairs]
