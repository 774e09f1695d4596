// The page: a person plays an episode by keys, buttons or swipes, and at its end sees what was meant.
"use strict";

const ARROWS = { ArrowUp: "up", ArrowRight: "right", ArrowDown: "down", ArrowLeft: "left" };
const SIGNS = { north: "\u2191", east: "\u2192", south: "\u2193", west: "\u2190" };
const SWIPE = 24; // CSS pixels
const LINES = 8;
const PACE = 160; // milliseconds a step of a demo or a replay
const MARGINS = 40; // CSS pixels around the legend and the buttons
const KEYS = 2 ** 32;
const by = (id) => document.getElementById(id);

class Playground {
  constructor({ levels }, pictures) {
    this.levels = levels.map((each) => new Level(each));
    this.pictures = pictures;
    this.drawing = new Drawing(by("map"), pictures);
    this.replays = null;
    this.demo = 0;
    by("level").append(...this.levels.map(({ level }) => made("option", { value: level, textContent: level })));
    by("levels").hidden = this.levels.length < 2;
    this.listen();
    this.open();
  }

  // What can be pressed, besides the actions.
  listen() {
    by("again").onclick = () => this.begin(this.level, this.episode.key);
    by("new").onclick = () => this.begin(this.level);
    by("skip").onclick = () => this.hurry();
    by("help").onclick = () => by("keys").showModal();
    this.choose(by("level"));
    addEventListener("keydown", (event) => this.press(event));
    addEventListener("hashchange", () => this.open());
    addEventListener("resize", () => this.fit());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.fit());
    this.swipes(by("map"));
  }

  // Let a level be chosen: by pointer at once, by keys until Enter or Escape; then keys are the world's again.
  choose(levels) {
    let leafing = false;
    const back = () => by("stage").focus({ preventScroll: true });
    levels.onpointerdown = () => { leafing = false; };
    levels.onkeydown = (event) => {
      leafing = event.key !== " "; // which opens the list
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      back();
    };
    levels.onchange = () => {
      this.begin(this.named(levels.value));
      if (!leafing) back();
    };
  }

  named(name) {
    return this.levels.find(({ level }) => level === name) || this.levels[0];
  }

  // Begin what the address asks for: #level=lagoon&key=17.
  open() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const key = /^\d{1,10}$/.test(asked.get("key") || "") && Number(asked.get("key")) < KEYS ? Number(asked.get("key")) : undefined;
    this.begin(this.named(asked.get("level")), key);
  }

  // Begin an episode; without a key, one that chance gives.
  begin(level, key = crypto.getRandomValues(new Uint32Array(1))[0]) {
    this.stop();
    this.drawing.forget();
    this.watched = null;
    const other = level !== this.level;
    this.level = level;
    this.episode = new Episode(level, key);
    history.replaceState(null, "", `#${new URLSearchParams({ level: level.level, key })}`);
    by("level").value = level.level;
    by("key").textContent = key;
    by("end").hidden = true;
    if (other) this.arrange();
    this.tell();
    this.fit();
  }

  stop() {
    clearTimeout(this.demo);
    by("skip").hidden = true;
    if (this.replays) this.replays.stop();
  }

  // Lay out what a level has of its own: buttons, keys, demos.
  arrange() {
    const { actions, keys, demos } = this.level;
    const buttons = actions.map((name, action) => this.button(name, keys[action][0], action));
    const [moves, others] = [[], []];
    actions.forEach((name, action) => (name in SIGNS ? moves : others).push(buttons[action]));
    by("pad").replaceChildren(...[["arrows", moves], ["others", others]].filter(([, list]) => list.length)
      .map(([className, list]) => made("div", { className }, ...list)));
    by("map").style.touchAction = moves.length ? "none" : "auto";
    by("demos").replaceChildren(...demos.map((demo) => made("button", { type: "button", textContent: `Watch: ${demo.name}`, onclick: () => this.watch(demo) })));
    const free = (letter) => (keys.some((names) => names.includes(letter)) ? [] : [letter]); // else the button does it
    by("key-rows").replaceChildren(...actions.map((name, action) => keyRow(keys[action], words(name))),
      ...free("r").map((letter) => keyRow([letter], "again, the same episode")),
      ...free("n").map((letter) => keyRow([letter], "a new episode")), keyRow(["?"], "this help"));
    by("offer").textContent = demos.length ? "Tell me the loophole, or show me" : "Tell me the loophole";
    by("paid-weights").textContent = weighed(this.level.weights.proxy);
  }

  button(name, letter, action) {
    const move = name in SIGNS;
    const button = made("button", { type: "button", className: move ? name : "", onclick: () => this.act(action) });
    button.append(...(move ? [SIGNS[name]] : [made("kbd", { textContent: letter }), ` ${words(name)}`]));
    button.setAttribute("aria-label", words(name));
    return button;
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || by("keys").open || claimed(event)) return;
    const key = ARROWS[event.key] || event.key.toLowerCase();
    const action = this.level.keys.findIndex((names) => names.includes(key));
    if (action >= 0 && this.mine) {
      event.preventDefault();
      this.act(action);
    } else if (key === "r") by("again").click();
    else if (key === "n") by("new").click();
    else if (key === "?") by("help").click();
  }

  swipes(canvas) {
    let start = null;
    canvas.addEventListener("pointerdown", (event) => { start = [event.clientX, event.clientY]; });
    canvas.addEventListener("pointerup", (event) => {
      if (!start) return;
      const [x, y] = [event.clientX - start[0], event.clientY - start[1]];
      start = null;
      const name = Math.abs(x) > Math.abs(y) ? (x > 0 ? "east" : "west") : (y > 0 ? "south" : "north");
      const action = this.level.actions.indexOf(name);
      if (Math.max(Math.abs(x), Math.abs(y)) >= SWIPE && action >= 0) this.act(action);
    });
  }

  // Whether a person may act: not while a demo plays, whose buttons are off, nor after the end.
  get mine() {
    return !this.watched && !this.episode.over;
  }

  // A person's step; there is none while a demo plays.
  act(action) {
    if (this.mine) this.take(action);
  }

  take(action) {
    this.episode.take(action);
    this.tell();
    this.drawing.show(this.episode.scene, traced(this.episode, this.episode.step, this.pictures));
    if (this.episode.over) this.finish();
  }

  // Play a demo's actions under its key.
  watch(demo) {
    this.begin(this.level, demo.key);
    this.watched = demo;
    this.tell();
    by("skip").hidden = false;
    by("stage").scrollIntoView({ block: "nearest" });
    this.next();
  }

  next() {
    this.demo = setTimeout(() => {
      this.take(this.watched.actions[this.episode.step]);
      if (!this.episode.over) this.next();
    }, PACE);
  }

  hurry() {
    clearTimeout(this.demo);
    while (!this.episode.over) this.episode.take(this.watched.actions[this.episode.step]);
    this.tell();
    this.fit();
    this.finish();
  }

  // Show where the episode stands; the true account stays covered until its end.
  tell() {
    const { level, episode } = this;
    const { step, over } = episode;
    by("steps").textContent = `step ${step} of ${level.horizon}${this.watched && !over ? ", a demo" : ""}`;
    by("time").max = level.horizon;
    by("time").value = step;
    by("paid").textContent = signed(episode.paid[step]);
    fillBar(by("paid-bar"), episode.paid[step], level.ranges.proxy);
    by("meant").textContent = over ? signed(episode.meant[step]) : "?";
    by("meant-weights").textContent = over ? weighed(level.weights.true) : "shown when the episode is over";
    if (over) fillBar(by("meant-bar"), episode.meant[step], level.ranges.true);
    else { by("meant-bar").replaceChildren(); by("meant-bar").classList.add("hidden"); }
    for (const button of by("pad").querySelectorAll("button")) button.disabled = !this.mine;
    for (const [id, letter] of [["again", "r"], ["new", "n"]]) {
      by(id).querySelector("kbd").hidden = this.mine && level.keys.some((names) => names.includes(letter));
    }
    this.meters();
    this.legend();
    this.ledger();
    this.say();
  }

  meters() {
    const { meters } = this.pictures.scene(this.episode.scene);
    by("meters").replaceChildren(...meters.map(([label, value, full]) => {
      const number = (each) => String(Math.round(each * 100) / 100);
      return made("div", { className: "meter" }, label, made("progress", { max: full || 1, value, ariaLabel: label }), `${number(value)}/${number(full)}`);
    }));
  }

  legend() {
    const entries = this.pictures.legend(this.episode.scene);
    const said = JSON.stringify(entries);
    if (said === this.explained) return;
    this.explained = said;
    by("legend").replaceChildren(...entries.map(([picture, name]) => made("li", {}, made("img", { src: this.pictures.atlas.pictures[picture], alt: "" }), name)));
  }

  ledger() {
    const { level, episode } = this;
    const rows = [];
    for (let step = episode.step; step > Math.max(episode.step - LINES, 0); step -= 1) {
      const events = episode.emitted[step - 1];
      const [paid, meant] = episode.rewards[step - 1];
      const shown = [step, words(level.actions[episode.actions[step - 1]]), told(events, level, !episode.over), signed(paid), episode.over ? signed(meant) : "?"];
      rows.push(made("tr", { className: episode.over && level.exploit_event in events ? "exploit" : "" },
        ...shown.map((text) => made("td", { textContent: text }))));
    }
    by("ledger").tBodies[0].replaceChildren(...rows);
  }

  // Tell those who listen, and name the picture.
  say() {
    const { level, episode } = this;
    const { step } = episode;
    const { note } = this.pictures.scene(episode.scene);
    by("map").setAttribute("aria-label", `The world after ${step} steps. ${note}`);
    if (!step) return;
    const events = told(episode.emitted[step - 1], level, true);
    const [paid] = episode.rewards[step - 1];
    by("said").textContent = `Step ${step}: ${words(level.actions[episode.actions[step - 1]])}. ${events ? `${events}. ` : ""}Paid ${signed(paid)}, ${signed(episode.paid[step])} so far. ${note}`;
  }

  // Size the map so that the buttons below it are on the screen too, as far as it stays large enough.
  fit() {
    const above = by("map").getBoundingClientRect().top + scrollY;
    const below = by("legend").offsetHeight + by("pad").offsetHeight + MARGINS;
    const least = this.pictures.scene(this.episode.scene).sensor === NONE ? 0.35 : 0.45;
    this.drawing.fit(by("stage").clientWidth, Math.max(innerHeight - above - below, innerHeight * least, 200));
    this.drawing.draw(this.episode.scene, traced(this.episode, this.episode.step, this.pictures));
    if (!by("end").hidden) this.curves();
  }

  curves() {
    by("timeline").replaceChildren(timeline(this.episode, Math.min(by("end").clientWidth, 900)));
    this.replays.fit();
  }

  // The episode is over: uncover the true account, beside the two optimal ways to play this very episode.
  finish() {
    const { level, episode } = this;
    const who = this.watched ? `the demo \u201c${this.watched.name}\u201d` : "you";
    this.stop();
    const players = [[who, episode, null], ["proxy-optimal", level.plan("proxy").play(episode.key), "proxy"], ["true-optimal", level.plan("true").play(episode.key), "true"]];
    by("end").hidden = false;
    by("end").dataset.proxyReturn = episode.paid[episode.step];
    by("end").dataset.trueReturn = episode.meant[episode.step];
    by("verdict").textContent = verdict(who, episode);
    by("loophole").textContent = lesson(level, episode);
    by("returns").tBodies[0].replaceChildren(...players.map((player) => returnsRow(level, ...player)));
    by("ties").textContent = tied(level);
    this.replays = new Replays(players, this.pictures);
    this.curves();
    this.replays.start();
    by("over").focus({ preventScroll: true });
    by("said").textContent = verdict(who, episode);
    by("end").scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
  }
}

// Whether a key is the list's of levels, or the slider's.
function claimed({ target, key }) {
  return target.matches("select") || (target.matches("input") && (key in ARROWS || key === "Home" || key === "End"));
}

function keyRow(names, says) {
  const keys = names.flatMap((name) => [made("kbd", { textContent: { up: "\u2191", right: "\u2192", down: "\u2193", left: "\u2190" }[name] || name }), " "]);
  return made("tr", {}, made("td", {}, ...keys), made("td", { textContent: says }));
}

// The data lies in the page, packed.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function start() {
  try {
    const data = await unpacked(by("data").textContent);
    const page = new Playground(data, await Pictures.load(data.atlas));
    document.body.dataset.ready = page.levels.length;
  } catch (error) {
    by("trouble").hidden = false;
    by("trouble").textContent = `This page can't be shown here: ${error.message}; it needs a browser of 2023 or later.`;
    throw error;
  }
}

start();
