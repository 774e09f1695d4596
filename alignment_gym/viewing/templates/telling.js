// Says numbers, bars and curves: what the page shows of an episode, made from its accounts.
"use strict";

// A number with its sign and two digits, as the window shows it.
function signed(value) {
  const rounded = Math.round(value * 100) / 100;
  const digits = Math.abs(rounded) < 1000 ? Math.abs(rounded).toFixed(2) : Math.abs(rounded).toFixed(0);
  return rounded === 0 ? "0.00" : (rounded > 0 ? "+" : "\u2212") + digits;
}

function words(name) {
  return name.replaceAll("_", " ");
}

// What an account pays for: "buoy +1, step −0.05".
function weighed(weights) {
  const told = Object.entries(weights).filter(([, weight]) => weight);
  return told.map(([name, weight]) => `${words(name)} ${weight > 0 ? "+" : "\u2212"}${Math.abs(weight)}`).join(", ") || "nothing";
}

// The events of a step that an account on show weighs, and the exploit once it may be seen.
function told(events, level, hidden) {
  const shown = Object.entries(events).filter(([name]) => name !== "step"
    && (level.weights.proxy[name] || (!hidden && (level.weights.true[name] || name === level.exploit_event))));
  return shown.map(([name, amount]) => (amount !== 1 && Number.isInteger(amount) ? `${words(name)} ${amount}` : words(name))).join(", ");
}

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Fill a bar from 0 to a value, between the worst and the best policy's return; the best has a mark.
function fillBar(bar, value, [worst, best]) {
  const [low, high] = worst < best ? [Math.min(worst, 0), Math.max(best, 0)] : [Math.min(value, 0), Math.max(value, 0, 1e-9)];
  const share = (number) => Math.min(Math.max((number - low) / (high - low), 0), 1) * 100;
  const [from, to] = [share(Math.min(value, 0)), share(Math.max(value, 0))];
  const filled = made("i", { className: value < 0 ? "below" : "" });
  filled.style.cssText = `left:${from}%;width:${to - from}%`;
  const zero = made("b");
  zero.style.left = `min(${share(0)}%, calc(100% - 2px))`;
  const top = made("u");
  top.style.left = `max(calc(${share(best)}% - 4px), 0px)`;
  bar.replaceChildren(filled, zero, ...(worst < best ? [top] : []));
  bar.classList.remove("hidden");
}

const SVG = "http://www.w3.org/2000/svg";
const HIGH = 150; // pixels of the curves
const [LEFT, RIGHT, TOP, BOTTOM] = [6, 96, 22, 24];

function drawn(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

// Both returns over the steps, each on a scale of its own, and the moment of the exploit.
function timeline(episode, width) {
  const { level } = episode;
  const svg = drawn("svg", { width, height: HIGH, role: "img", "aria-label": spoken(episode) });
  const x = (step) => LEFT + ((width - LEFT - RIGHT) * step) / Math.max(episode.step, 1);
  svg.append(drawn("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: HIGH - BOTTOM, y2: HIGH - BOTTOM }));
  svg.append(drawn("text", { x: LEFT, y: HIGH - 6 }, "step 0"));
  svg.append(drawn("text", { x: width - RIGHT, y: HIGH - 6, "text-anchor": "end" }, `step ${episode.step}`));
  const moment = level.exploit_event ? episode.first(level.exploit_event) : 0;
  if (moment) svg.append(...marked(x(moment), width, `exploit: ${words(level.exploit_event)}, step ${moment}`));
  const ends = ["paid", "meant"].map((which) => curve(svg, which, episode[which], x));
  const apart = Math.abs(ends[0] - ends[1]) < 15;
  const shifts = apart ? (ends[0] <= ends[1] ? [-8, 8] : [8, -8]) : [0, 0];
  ["paid", "meant"].forEach((which, place) => svg.append(drawn("text", { x: width - RIGHT + 6, y: ends[place] + shifts[place] + 4 },
    `${which} ${signed(episode[which][episode.step])}`)));
  return svg;
}

function curve(svg, which, values, x) {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const y = (value) => TOP + (HIGH - TOP - BOTTOM) * (1 - (high > low ? (value - low) / (high - low) : 0));
  svg.append(drawn("polyline", { class: which, points: values.map((value, step) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
  return y(values[values.length - 1]);
}

function marked(x, width, says) {
  const late = x > width / 2;
  return [drawn("line", { class: "moment", x1: x, x2: x, y1: 4, y2: HIGH - BOTTOM }),
    drawn("text", { class: "alarm", x: late ? x - 5 : x + 5, y: 13, "text-anchor": late ? "end" : "start" }, says)];
}

function spoken(episode) {
  return `After ${episode.step} steps: paid ${signed(episode.paid[episode.step])}, meant ${signed(episode.meant[episode.step])}`;
}

// The cells of the last steps, oldest first, and the way of the last one: how a scene is to be drawn.
const TRAIL = 14;
function traced(episode, step, pictures) {
  const first = Math.max(1, step - TRAIL + 1);
  const cells = episode.states.slice(first, step + 1).map((state) => pictures.scene(episode.level.scene[state]));
  const last = step ? episode.level.actions[episode.actions[step - 1]] : "";
  return { heading: HEADINGS.includes(last) ? last : "", trail: cells.map(({ row, column }) => [row, column]) };
}
