"""Whose turn it is in a playground, whose the keys are, and what is drawn meanwhile, in headless Chromium."""
# ruff: noqa: F811 - tests take the fixtures that are imported

import time

import pytest

from alignment_gym.core import world_class
from alignment_gym.viewing.templating import signed_in_print
from tests.viewing.test_playground_browser import browser, opened, page, press, text, watch  # noqa: F401
from tests.viewing.test_replay_browser import NUMBERS, until

pytestmark = pytest.mark.browser

PIXELS = "return document.getElementById('map').toDataURL()"
SLOW = 200  # milliseconds from frame to frame, where glides are to last
SLOW_GLIDES = f"""
requestAnimationFrame = (paint) => setTimeout(() => paint(performance.now()), {SLOW});
cancelAnimationFrame = clearTimeout;
"""
COUNTED = """
const map = document.getElementById("map");
const { data } = map.getContext("2d").getImageData(0, 0, map.width, map.height);
const same = (place) => arguments[0].every((part, channel) => data[place + channel] === part);
return Array.from({ length: data.length / 4 }, (_, pixel) => pixel * 4).filter(same).length;
"""


def type_on(browser, *names):
    """Press keys where the focus is."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    known = {"up": Keys.ARROW_UP, "right": Keys.ARROW_RIGHT, "down": Keys.ARROW_DOWN, "enter": Keys.ENTER}
    ActionChains(browser).send_keys(*(known.get(name, name) for name in names)).perform()


def test_beginning_again_cuts_a_glide_short(opened):
    browser = opened("BoatRace-v0", "#key=5", motion="no-preference")
    before = browser.execute_script(PIXELS)
    browser.execute_script(SLOW_GLIDES)
    press(browser, ["down", "r"])
    time.sleep(3 * SLOW / 1000)
    assert text(browser, "steps") == "step 0 of 100"
    assert browser.execute_script(PIXELS) == before


def test_skipping_to_the_end_cuts_a_glide_short(opened):
    browser = opened("BoatRace-v0", "#key=5", motion="no-preference")
    browser.execute_script(SLOW_GLIDES)
    watch(browser, "exploit")
    until(lambda: not text(browser, "steps").startswith("step 0 "))
    over = browser.execute_script(f"document.getElementById('skip').click(); {PIXELS}")
    time.sleep(3 * SLOW / 1000)
    assert browser.execute_script(PIXELS) == over


def test_a_level_chosen_with_the_pointer_leaves_the_keys_to_the_world(opened):
    browser = opened("BoatRace-v0", "#key=1")
    browser.find_element("xpath", "//option[text()='cove']").click()
    assert "level=cove" in browser.current_url
    type_on(browser, "up")
    assert text(browser, "steps").startswith("step 1 ")


def test_a_level_chosen_by_keys_is_taken_with_enter(opened):
    browser = opened("BoatRace-v0", "#key=1")
    browser.execute_script("document.getElementById('level').focus()")
    type_on(browser, "down", "down")
    assert "level=cove" in browser.current_url, "one can leaf through"
    assert text(browser, "steps").startswith("step 0 ")
    type_on(browser, "enter", "up")
    assert "level=cove" in browser.current_url
    assert text(browser, "steps").startswith("step 1 ")


def test_a_level_chosen_from_the_open_list_is_taken_with_enter(opened):
    browser = opened("BoatRace-v0", "#key=1")
    browser.execute_script("document.getElementById('level').focus()")
    type_on(browser, " ")
    time.sleep(0.3)
    type_on(browser, "down", "enter")
    until(lambda: "level=harbour" in browser.current_url)
    type_on(browser, "up")
    assert text(browser, "steps").startswith("step 1 ")


def test_the_slider_takes_arrows_and_leaves_letters(opened):
    browser = opened("BoatRace-v0", "#key=1")
    press(browser, ["up"] * 100)
    browser.execute_script("document.getElementById('scrub').focus()")
    type_on(browser, "right", "right")
    assert text(browser, "at") == "2"
    type_on(browser, "r")
    assert text(browser, "steps") == "step 0 of 100"


def test_numbers_read_as_python_writes_them(opened):
    found = opened("RocksDiamonds-v0").execute_script("return arguments[0].map(signed)", NUMBERS)
    assert found == list(map(signed_in_print, NUMBERS))


def test_while_a_demo_plays_it_is_nobodys_turn(opened):
    browser = opened("BoatRace-v0", motion="no-preference")
    buttons = browser.find_elements("css selector", "#pad button")
    watch(browser, "exploit")
    assert not any(button.is_enabled() for button in buttons)
    assert text(browser, "steps").endswith(", a demo")
    press(browser, ["r"])
    assert all(button.is_enabled() for button in buttons), "the same episode, for a person to play"
    assert text(browser, "key") == str(world_class("BoatRace-v0").card.demo("exploit").key)
    press(browser, ["up"])
    assert text(browser, "steps") == "step 1 of 100"


@pytest.mark.parametrize(("level", "offered"), [("lagoon", True), ("cove", False)])
def test_a_loophole_is_shown_only_where_there_is_a_demo(opened, level, offered):
    browser = opened("BoatRace-v0", f"#level={level}")
    assert text(browser, "offer").endswith("or show me") == offered
    assert bool(browser.find_elements("css selector", "#demos button")) == offered


def test_a_sensors_frame_stands_out_in_the_dark(opened):
    rim = "return getComputedStyle(document.getElementById('map')).getPropertyValue('--bezel').trim()"
    assert opened("SensorCleaner-v0").execute_script(rim) == "#20262e"
    browser = opened("SensorCleaner-v0", "#key=0", scheme="dark")
    assert browser.execute_script(rim) == "#8b95a1"
    painted = browser.execute_script(COUNTED, [0x8B, 0x95, 0xA1])
    assert painted > 1000, "pixels"
