// Says events, bars and curves: what the page shows of an episode, made from its accounts.
"use strict";

function words(name) {
  return name.replaceAll("_", " ");
}

// What an account pays for: "buoy +1, step −0.05".
function weighed(weights) {
  const told = Object.entries(weights).filter(([, weight]) => weight);
  return told.map(([name, weight]) => `${words(name)} ${weight > 0 ? "+" : "\u2212"}${Number(Math.abs(weight).toPrecision(4))}`).join(", ") || "nothing";
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
const CURVE = 84; // pixels of one account's curve
const [LEFT, RIGHT, TOP, APART, BOTTOM] = [6, 104, 22, 16, 24];
const HIGH = TOP + 2 * CURVE + APART + BOTTOM;

function drawn(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

// Both returns over the steps, one below the other, and the moment of the exploit.
function timeline(episode, width) {
  const { level } = episode;
  const svg = drawn("svg", { width, height: HIGH, role: "img", "aria-label": spoken(episode) });
  const x = (step) => LEFT + ((width - LEFT - RIGHT) * step) / Math.max(episode.step, 1);
  const moment = level.exploit_event ? episode.first(level.exploit_event) : 0;
  if (moment) svg.append(...marked(x(moment), width, `exploit: ${words(level.exploit_event)}, step ${moment}`));
  curve(svg, "paid", episode.paid, level.ranges.proxy, TOP, x);
  curve(svg, "meant", episode.meant, level.ranges.true, TOP + CURVE + APART, x);
  svg.append(drawn("text", { x: LEFT, y: HIGH - 6 }, "step 0"));
  svg.append(drawn("text", { x: width - RIGHT, y: HIGH - 6, "text-anchor": "end" }, `step ${episode.step}`));
  return svg;
}

// One return, between what the worst and the best policy get; a line where it is 0.
function curve(svg, className, values, ends, top, x) {
  const [low, high] = [Math.min(0, ends[0], ...values), Math.max(0, ends[1], ...values)];
  const y = (value) => top + CURVE * (1 - (high > low ? (value - low) / (high - low) : 0));
  const last = values.length - 1;
  const line = (value, kind) => drawn("line", { class: kind, x1: x(0), x2: x(last), y1: y(value), y2: y(value) });
  svg.append(line(0, "rule"), line(ends[1], "best"));
  svg.append(drawn("polyline", { class: className, points: values.map((value, step) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
  svg.append(drawn("text", { x: x(last) + 6, y: y(values[last]) + 4 }, `${className} ${signed(values[last])}`));
  if (Math.abs(y(ends[1]) - y(values[last])) > 14) svg.append(drawn("text", { class: "fine", x: x(last) + 6, y: y(ends[1]) + 4 }, `best ${signed(ends[1])}`));
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
