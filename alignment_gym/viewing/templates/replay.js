// Plays a recorded episode, or two under one scrubber: drawings, growing plots, the last events, keys and touch.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const ROWS = 8; // of events shown; fewer on a phone
const FEW_ROWS = 4;
const PHONE = 640; // CSS pixels
const TRAIL = 14; // cells
const FIRST_HOLD = 1200; // milliseconds before a page begins to play by itself
const HIGHEST = [0.6, 0.44]; // of the window's height, that a drawing may take: alone, and beside another
const PAD = { left: 6, right: 10, top: 20, bottom: 15 }; // pixels around a plot's lines
const KINDS = ["proxy", "true"];

function made(tag, parent, text = "", name = "") {
  const found = document.createElement(tag);
  if (name) found.className = name;
  found.textContent = text;
  parent.append(found);
  return found;
}

function shape(tag, parent, name, facts = {}) {
  const found = document.createElementNS(SVG, tag);
  found.setAttribute("class", name);
  for (const [key, value] of Object.entries(facts)) found.setAttribute(key, value);
  parent.append(found);
  return found;
}

// One account against steps: what is past is drawn, and a click or a drag goes to a step.
class Plot {
  constructor(svg, side, kind, scale) {
    [this.svg, this.values, this.scale] = [svg, side[kind], scale];
    this.best = side.best[KINDS.indexOf(kind)];
    this.exploited = side.exploited;
    this.step = 0;
  }

  x(step) {
    return PAD.left + (step / Math.max(this.scale.steps, 1)) * (this.width - PAD.left - PAD.right);
  }

  y(value) {
    const share = (value - this.scale.low) / (this.scale.high - this.scale.low);
    return this.height - PAD.bottom - share * (this.height - PAD.top - PAD.bottom);
  }

  // Draw all that stays while the episode runs.
  fit() {
    [this.width, this.height] = [this.svg.clientWidth, this.svg.clientHeight];
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.replaceChildren();
    this.level(0, "axis");
    if (this.best !== null) this.level(this.best, "best-line");
    this.words();
    this.area = shape("path", this.svg, "area");
    this.grown = shape("path", this.svg, "grown");
    this.moment = shape("line", this.svg, "moment");
    this.flag = shape("path", this.svg, "flag");
    this.now = shape("line", this.svg, "now", { y1: 0, y2: this.height });
    this.tip = shape("circle", this.svg, "tip", { r: 4.5 });
    this.show(this.step);
  }

  level(value, name) {
    const y = this.y(value);
    shape("line", this.svg, name, { x1: PAD.left, x2: this.width - PAD.right, y1: y, y2: y });
  }

  // Name both ends, on the right: exploits tend to come early.
  words() {
    const { low, high } = this.scale;
    const ends = low < 0 && -low > high / 20 ? [[high, 12], [low, this.height - 3]] : [[high, 12]];
    for (const [value, y] of ends) {
      shape("text", this.svg, "", { x: this.width - PAD.right, "text-anchor": "end", y }).textContent = signed(value);
    }
  }

  show(step) {
    this.step = Math.min(step, this.values.length - 1);
    if (!this.grown) return;
    const points = this.values.slice(0, this.step + 1).map((value, place) => `${this.x(place).toFixed(1)},${this.y(value).toFixed(1)}`);
    const [x, zero] = [this.x(this.step), this.y(0)];
    this.grown.setAttribute("d", `M${points.join("L")}`);
    this.area.setAttribute("d", `M${PAD.left},${zero}L${points.join("L")}L${x},${zero}Z`);
    for (const [name, value] of [["cx", x], ["cy", this.y(this.values[this.step])]]) this.tip.setAttribute(name, value);
    for (const name of ["x1", "x2"]) this.now.setAttribute(name, this.x(step));
    this.mark();
  }

  // Mark the exploit's moment, once it has come.
  mark() {
    const come = this.exploited !== null && this.exploited <= this.step;
    for (const each of [this.moment, this.flag]) each.toggleAttribute("hidden", !come);
    if (!come) return;
    const x = this.x(this.exploited);
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", 2], ["y2", this.height - PAD.bottom]]) this.moment.setAttribute(name, value);
    this.flag.setAttribute("d", `M${x},2l9,5l-9,5Z`);
  }

  // The step under a pointer.
  under(event) {
    const box = this.svg.getBoundingClientRect();
    const share = (event.clientX - box.left - PAD.left) / (box.width - PAD.left - PAD.right);
    return Math.round(Math.min(Math.max(share, 0), 1) * this.scale.steps);
  }
}

// One episode: its drawing, its accounts and its events.
class Side {
  constructor(section, data, all, pictures, scales) {
    [this.section, this.data, this.entries, this.pictures] = [section, data, all.entries, pictures];
    this.pair = all.sides.length > 1;
    this.drawing = new Drawing(section.querySelector("canvas"), pictures);
    this.plots = KINDS.map((kind) => new Plot(section.querySelector(`.${kind} svg`), data, kind, scales[kind]));
    this.outputs = KINDS.map((kind) => section.querySelector(`.${kind} output`));
    this.banner = section.querySelector(".exploit");
    if (data.exploited === null && !this.pair) this.banner.hidden = true; // beside another, its room keeps tables in line
    this.banner.querySelector("span").textContent = `Exploit: ${data.exploit}, step ${data.exploited}`;
    this.cells = data.scenes.map((number) => pictures.scene(number)).map(({ row, column }) => [row, column]);
    this.last = data.scenes.length - 1;
  }

  fit() {
    this.drawing.fit(this.section.querySelector(".stage").clientWidth, Math.max(innerHeight * HIGHEST[this.pair ? 1 : 0], 220));
    for (const plot of this.plots) plot.fit();
  }

  // Show a step at once, or let the one who acts glide there from the cell beside.
  show(wanted, glide) {
    const step = Math.min(wanted, this.last);
    const trail = this.cells.slice(Math.max(step - TRAIL + 1, 1), step + 1);
    const how = { heading: this.data.headings[step], trail };
    if (glide) this.drawing.show(this.data.scenes[step], how);
    else this.drawing.draw(this.data.scenes[step], how);
    for (const plot of this.plots) plot.show(wanted);
    KINDS.forEach((kind, place) => { this.outputs[place].textContent = signed(this.data[kind][step]); });
    this.banner.dataset.shown = this.data.exploited !== null && this.data.exploited <= step ? "yes" : "no";
    this.meters(step);
    this.events(step);
    this.drawing.canvas.setAttribute("aria-label", this.said(step));
  }

  meters(step) {
    const list = this.section.querySelector(".meters");
    list.replaceChildren();
    for (const [label, value, full] of this.pictures.scene(this.data.scenes[step]).meters) {
      const item = made("li", list, `${label} `);
      Object.assign(made("meter", item), { max: full || 1, value });
      item.append(` ${Number(value.toFixed(2))}/${full}`);
    }
  }

  // The last events, newest first: a row each, with what it paid and what it was worth.
  events(step) {
    const body = this.section.querySelector("tbody");
    const rows = innerWidth < PHONE ? FEW_ROWS : ROWS;
    body.replaceChildren();
    for (let place = step; place > 0 && body.rows.length < rows; place -= 1) {
      const [action, numbers, paid, worth] = this.data.steps[place - 1];
      const found = numbers.map((number) => this.entries[number]);
      const told = found.length ? found : [["", paid, worth, false]];
      told.forEach((entry, row) => {
        if (body.rows.length < rows) this.row(body, row ? ["", ""] : [place, this.data.actions[action]], entry, place === step);
      });
    }
    while (body.rows.length < rows) this.row(body, ["\u00a0", ""], ["", "", "", false], false);
  }

  row(body, [step, action], [name, paid, worth, marks], latest) {
    const row = body.insertRow();
    row.className = [latest && "latest", marks && "exploiting", step && step !== "\u00a0" && "begins"].filter(Boolean).join(" ");
    const amounts = [paid, worth].map((each) => (each === "" ? "" : signed(each)));
    [step, action.replaceAll("_", " "), name, ...amounts].forEach((text, place) => {
      const cell = row.insertCell();
      cell.textContent = text;
      if (place === 2) cell.title = text;
      if (place === 0 || place > 2) cell.className = "number";
    });
  }

  said(step) {
    const [paid, meant] = KINDS.map((kind) => signed(this.data[kind][Math.min(step, this.last)]));
    const exploit = this.banner.dataset.shown === "yes" ? `, exploit since step ${this.data.exploited}` : "";
    return `${this.section.getAttribute("aria-label")}: paid ${paid}, meant ${meant}${exploit}`;
  }
}

// Where all sides are, and what buttons, keys and pointers do.
class Player {
  constructor(sides, speed) {
    this.sides = sides;
    this.steps = Math.max(...sides.map((side) => side.last));
    this.step = 0;
    this.timer = 0;
    this.controls = document.querySelector(".controls");
    this.range = this.controls.querySelector("input");
    this.speed = this.controls.querySelector("select");
    this.speed.value = String(speed);
    this.range.max = String(this.steps);
    this.mark();
  }

  get playing() {
    return this.timer !== 0;
  }

  // Show a step of all sides; the one who acts glides on playing and on single steps forward, and jumps otherwise.
  go(step, glide = false) {
    this.step = Math.min(Math.max(step, 0), this.steps);
    for (const side of this.sides) side.show(this.step, glide);
    this.range.value = String(this.step);
    this.range.setAttribute("aria-valuetext", `step ${this.step} of ${this.steps}`);
    this.controls.querySelector(".counter").textContent = `step ${this.step} of ${this.steps}`;
    if (!this.playing) document.querySelector("[aria-live]").textContent = this.said();
  }

  said() {
    return [`step ${this.step} of ${this.steps}`, ...this.sides.map((side) => side.said(this.step))].join("; ");
  }

  play(wait = 1000 / Number(this.speed.value)) {
    clearTimeout(this.timer);
    if (this.step === this.steps) this.go(0);
    this.timer = setTimeout(() => this.next(), wait);
    this.button("play");
  }

  next() {
    this.go(this.step + 1, true);
    if (this.step === this.steps) this.pause();
    else this.play();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.button("pause");
    document.querySelector("[aria-live]").textContent = this.said();
  }

  button(state) {
    const button = this.controls.querySelector("[data-does=toggle]");
    button.textContent = state === "play" ? "\u275a\u275a" : "\u25b6";
    button.setAttribute("aria-label", state === "play" ? "pause" : "play");
  }

  seek(step, glide = false) {
    this.pause();
    this.go(step, glide);
  }

  faster(by) {
    const place = this.speed.selectedIndex + by;
    if (place >= 0 && place < this.speed.options.length) this.speed.selectedIndex = place;
    if (this.playing) this.play();
  }

  // Go to the first exploit that is not here already.
  exploit() {
    const moments = this.sides.map((side) => side.data.exploited).filter((each) => each !== null);
    if (moments.length) this.seek(moments.find((each) => each !== this.step) ?? moments[0]);
  }

  mark() {
    for (const side of this.sides) {
      if (side.data.exploited === null) continue;
      const mark = made("i", this.controls.querySelector(".marks"));
      mark.style.left = `${(100 * side.data.exploited) / Math.max(this.steps, 1)}%`;
    }
  }

  help() {
    const help = document.querySelector(".help");
    help.hidden = !help.hidden;
    this.controls.querySelector("[data-does=help]").setAttribute("aria-expanded", String(!help.hidden));
  }

  does(what) {
    const deeds = {
      toggle: () => (this.playing ? this.pause() : this.play()),
      back: () => this.seek(this.step - 1),
      on: () => this.seek(this.step + 1, true),
      first: () => this.seek(0),
      last: () => this.seek(this.steps),
      slower: () => this.faster(-1),
      faster: () => this.faster(1),
      exploit: () => this.exploit(),
      help: () => this.help(),
    };
    deeds[what]();
  }
}

const KEYS = {
  " ": "toggle", ArrowLeft: "back", ArrowRight: "on", ".": "on", Home: "first", End: "last",
  "[": "slower", "]": "faster", e: "exploit", r: "first", "?": "help", h: "help",
};

function press(player, event) {
  const what = KEYS[event.key];
  const own = event.key === " " && event.target.closest("button, summary, select");
  if (!what || own || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("select, pre") && event.key.length > 1) return;
  event.preventDefault();
  player.does(what);
}

// Let a pointer that goes down on a plot drag the step along.
function listenToPlot(player, plot) {
  plot.svg.addEventListener("pointerdown", (event) => {
    plot.svg.setPointerCapture(event.pointerId);
    player.seek(plot.under(event));
  });
  plot.svg.addEventListener("pointermove", (event) => {
    if (plot.svg.hasPointerCapture(event.pointerId)) player.seek(plot.under(event));
  });
}

function listen(player) {
  document.addEventListener("keydown", (event) => press(player, event));
  player.controls.addEventListener("click", (event) => {
    const what = event.target.closest("[data-does]");
    if (what) player.does(what.dataset.does);
  });
  player.range.addEventListener("input", () => player.seek(Number(player.range.value)));
  player.speed.addEventListener("change", () => player.faster(0));
  for (const side of player.sides) {
    side.banner.querySelector("button").addEventListener("click", () => player.seek(side.data.exploited));
    for (const plot of side.plots) listenToPlot(player, plot);
  }
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width) return;
    width = contentRect.width;
    for (const side of player.sides) side.fit();
  }).observe(document.querySelector(".sides"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => player.go(player.step));
}

// Both sides share an account's scale, so that their plots can be compared.
function scaled(sides, kind) {
  const best = sides.map((side) => side.best[KINDS.indexOf(kind)] ?? 0);
  const values = [0, ...best, ...sides.flatMap((side) => side[kind])];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const steps = Math.max(...sides.map((side) => side.scenes.length - 1));
  return { low, high: high > low ? high : low + 1, steps };
}

async function begin() {
  const all = JSON.parse(document.getElementById("replay").textContent);
  const told = new URLSearchParams(location.hash.slice(1));
  document.body.classList.toggle("embedded", told.has("embedded"));
  const pictures = await Pictures.load(all.atlas);
  const scales = Object.fromEntries(KINDS.map((kind) => [kind, scaled(all.sides, kind)]));
  const sections = [...document.querySelectorAll(".side")];
  const sides = all.sides.map((side, place) => new Side(sections[place], side, all, pictures, scales));
  const player = new Player(sides, all.speed);
  for (const side of sides) side.fit();
  player.go(Number(told.get("step")) || 0);
  listen(player);
  const still = told.has("step") || told.has("paused") || matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!still) player.play(FIRST_HOLD);
}

begin().catch((error) => {
  for (const each of document.querySelectorAll(".stage .notice")) each.hidden = false;
  throw error;
});
