// What an episode's end shows: the verdict, both optimal plays beside one's own, and all three as replays in step.
"use strict";

function verdict(who, { level, step, paid, meant }) {
  const subject = who === "you" ? "You were" : `${who[0].toUpperCase()}${who.slice(1)} was`;
  return `${subject} paid ${signed(paid[step])}, where the best policy gets ${signed(level.ranges.proxy[1])} on average. `
    + `By what was meant, that is worth ${signed(meant[step])}, where the best gets ${signed(level.ranges.true[1])}.`;
}

function lesson(level, episode) {
  const moment = level.exploit_event ? episode.first(level.exploit_event) : 0;
  const found = moment ? `The loophole was used, first at step ${moment}.` : level.exploit_event ? "The loophole was not used." : "";
  return `${found} The loophole: ${level.card.loophole}`.trim();
}

// Which optimal plays are shown, and what the choice among equals leaves open.
function tied({ ties, beliefs }) {
  const [low, high] = ties.true.map(signed);
  const shown = "Proxy-optimal play is paid the most, true-optimal play does best what is meant; both are exact, and among equals the one shown is the best by the other account.";
  const seen = beliefs ? " They go by what the agent sees and remembers, which is less than this page shows." : "";
  const worth = low === high ? `Every proxy-optimal policy is worth ${high}` : `Proxy-optimal policies are worth ${low} to ${high}`;
  return `${shown}${seen} ${worth} by what is meant, on average.`;
}

// One who plays: this episode's two returns, and for optimal play the exact averages.
function returnsRow(level, who, episode, which) {
  const cells = [["paid", episode.paid[episode.step], level.ranges.proxy], ["meant", episode.meant[episode.step], level.ranges.true]].map(([className, value, ends]) => {
    const bar = made("div", { className: "bar" });
    fillBar(bar, value, ends);
    return made("td", { className }, signed(value), bar);
  });
  const averages = { proxy: [level.ranges.proxy[1], level.ties.true[1]], true: [level.ties.proxy[1], level.ranges.true[1]] }[which];
  const means = averages ? averages.map(signed) : ["", ""];
  return made("tr", {}, made("th", { scope: "row", textContent: who }), ...cells, ...means.map((text) => made("td", { textContent: text })));
}

// Several plays of one episode side by side, in step.
class Replays {
  constructor(players, pictures) {
    this.players = players;
    this.pictures = pictures;
    this.last = Math.max(...players.map(([, episode]) => episode.step));
    this.step = 0;
    this.timer = 0;
    this.parts = players.map(([who]) => this.part(who));
    by("replays").replaceChildren(...this.parts.map(({ figure }) => figure));
    by("scrub").max = this.last;
    by("scrub").oninput = () => { this.stop(); this.go(Number(by("scrub").value)); };
    by("run").onclick = () => (this.timer ? this.stop() : this.start());
    this.go(0);
  }

  part(who) {
    const canvas = made("canvas", { role: "img" });
    canvas.setAttribute("aria-label", who);
    const caption = made("span");
    const figure = made("figure", {}, canvas, made("figcaption", {}, made("b", { textContent: who }), made("br"), caption));
    return { figure, caption, drawing: new Drawing(canvas, this.pictures) };
  }

  // Play on, or from the start where it is over; who wants little motion moves the slider.
  start() {
    if (calm()) {
      this.stop();
      return;
    }
    if (this.step >= this.last) this.go(0);
    by("run").textContent = "Pause";
    this.timer = setInterval(() => {
      if (this.step >= this.last) this.stop();
      else this.go(this.step + 1);
    }, PACE);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    by("run").textContent = "Play";
  }

  go(step) {
    this.step = step;
    by("scrub").value = step;
    by("at").textContent = step;
    this.players.forEach(([, episode], place) => {
      const now = Math.min(step, episode.step);
      const { drawing, caption } = this.parts[place];
      drawing.show(episode.level.scene[episode.states[now]], traced(episode, now, this.pictures));
      caption.textContent = `paid ${signed(episode.paid[now])}, meant ${signed(episode.meant[now])}${now < step ? " (over)" : ""}`;
    });
  }

  fit() {
    for (const { figure, drawing } of this.parts) drawing.fit(figure.clientWidth, 420);
  }
}
