// Plays and plans on exported tables: the engine's draws, rewards and sums again, to the last bit.
"use strict";

const GOLDEN = 0x9e3779b9;

// The 32-bit hash and the draw of a step, as `engine/randomness.py` states them.
function mix(x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

function draw(key, step) {
  return mix((key ^ mix((step + GOLDEN) >>> 0)) >>> 0);
}

// The first place whose bound exceeds a draw.
function above(bounds, drawn) {
  let place = 0;
  while (drawn >= bounds[place]) place += 1;
  return place;
}

// Rows of followers, of a level or of what an agent can know of it.
class Tables {
  constructor(laid, actions) {
    Object.assign(this, laid);
    this.actions = actions;
    this.states = laid.chance.length / actions;
    this.offset = new Int32Array(laid.chance.length + 1);
    laid.chance.forEach((chance, row) => {
      this.offset[row + 1] = this.offset[row] + laid.chances[chance][0].length;
    });
  }

  row(state, action) {
    return state * this.actions + action;
  }

  // The follower that a draw chooses.
  followed(state, action, drawn) {
    const row = this.row(state, action);
    return this.offset[row] + above(this.chances[this.chance[row]][0], drawn);
  }

  // The expected rewards of every row, proxy and true, and the chances of every follower that lives on.
  expectations() {
    const [rows, count] = [this.chance.length, this.next.length];
    const found = { proxy: new Float64Array(rows), true: new Float64Array(rows), live: new Float64Array(count) };
    for (let row = 0; row < rows; row += 1) {
      const probabilities = this.chances[this.chance[row]][1];
      for (let place = this.offset[row]; place < this.offset[row + 1]; place += 1) {
        const probability = probabilities[place - this.offset[row]];
        const [proxy, meant, , terminated] = this.payments[this.payment[place]];
        found.proxy[row] += probability * proxy;
        found.true[row] += probability * meant;
        found.live[place] = terminated ? 0 : probability;
      }
    }
    return found;
  }
}

// A level: its tables, and what an agent can know of them.
class Level {
  constructor(exported) {
    Object.assign(this, exported);
    this.moves = exported.actions;
    this.tables = new Tables(exported.tables, exported.actions.length);
    this.known = exported.beliefs ? new Tables(exported.beliefs.tables, exported.actions.length) : this.tables;
    this.final = exported.beliefs
      ? exported.beliefs.tables.final
      : exported.ending.map((ending) => exported.endings[ending].slice(0, 2));
    this.plans = {};
  }

  // The plan that is optimal for `which`, and the best of those for the other reward; made when first asked for.
  plan(which) {
    if (!this.plans[which]) this.plans[which] = new Plan(this, which);
    return this.plans[which];
  }
}

// Backward induction over an episode's steps; among actions that tie, the other reward decides, then their order.
class Plan {
  constructor(level, which) {
    const other = which === "proxy" ? "true" : "proxy";
    const place = { proxy: 0, true: 1 };
    this.level = level;
    this.chosen = [];
    this.best = Float64Array.from(level.final, (paid) => paid[place[which]]);
    this.rest = Float64Array.from(level.final, (paid) => paid[place[other]]);
    const paid = level.known.expectations();
    const tolerance = [level.tolerance[which], level.tolerance[other]];
    for (let step = level.horizon - 1; step >= 0; step -= 1) {
      this.chosen[step] = this.back(paid.live, paid[which], paid[other], tolerance);
    }
  }

  // Value one more step, and return the action of each state.
  back(live, first, second, tolerance) {
    const { known } = this.level;
    const count = known.actions;
    const [best, rest] = [new Float64Array(known.states), new Float64Array(known.states)];
    const chosen = new Uint8Array(known.states);
    const values = [new Float64Array(count), new Float64Array(count)];
    for (let state = 0; state < known.states; state += 1) {
      for (let action = 0; action < count; action += 1) this.value(known.row(state, action), action, live, first, second, values);
      const action = preferred(values, tolerance);
      chosen[state] = action.chosen;
      [best[state], rest[state]] = [action.best, action.rest];
    }
    [this.best, this.rest] = [best, rest];
    return chosen;
  }

  value(row, action, live, first, second, values) {
    const { known } = this.level;
    let [one, two] = [first[row], second[row]];
    for (let place = known.offset[row]; place < known.offset[row + 1]; place += 1) {
      const next = known.next[place];
      one += live[place] * this.best[next];
      two += live[place] * this.rest[next];
    }
    values[0][action] = one;
    values[1][action] = two;
  }

  // An episode that follows the plan.
  play(key) {
    const episode = new Episode(this.level, key);
    let known = this.first(episode.state);
    while (!episode.over) {
      const action = this.chosen[episode.step][known];
      episode.take(action);
      if (!episode.over) known = this.follow(known, action, episode.state);
    }
    return episode;
  }

  first(state) {
    const { beliefs, observation } = this.level;
    return beliefs ? beliefs.start.find((each) => beliefs.observed[each] === observation[state]) : state;
  }

  // What is known after an action, from what is seen then; episodes that go on were not terminated.
  follow(known, action, state) {
    const { beliefs, observation, known: tables } = this.level;
    if (!beliefs) return state;
    const row = tables.row(known, action);
    for (let place = tables.offset[row]; place < tables.offset[row + 1]; place += 1) {
      const next = tables.next[place];
      const terminated = tables.payments[tables.payment[place]][3];
      if (!terminated && beliefs.observed[next] === observation[state]) return next;
    }
    throw new Error("what is seen was held for impossible");
  }
}

// The action to take, from values by action of the first and of the second reward.
function preferred([first, second], [near, close]) {
  const best = Math.max(...first);
  let rest = -Infinity;
  for (let action = 0; action < first.length; action += 1) {
    if (best - first[action] <= near && second[action] > rest) rest = second[action];
  }
  let chosen = 0;
  while (best - first[chosen] > near || rest - second[chosen] > close) chosen += 1;
  return { chosen, best, rest };
}

// One episode and its accounts: `paid[t]` and `meant[t]` are the two returns after t steps.
class Episode {
  constructor(level, key) {
    this.level = level;
    this.key = key;
    this.state = level.start.state[above(level.start.bound, draw(key, 0))];
    this.step = 0;
    this.over = false;
    this.states = [this.state];
    this.actions = [];
    this.rewards = [];
    this.emitted = [];
    this.paid = [0];
    this.meant = [0];
  }

  // Take an action; returns what it emitted, by name.
  take(action) {
    const { level } = this;
    const place = level.tables.followed(this.state, action, draw(this.key, this.step + 1));
    let [proxy, meant, emitted, terminated] = level.tables.payments[level.tables.payment[place]];
    this.state = level.tables.next[place];
    this.step += 1;
    const events = [level.emitted[emitted]];
    if (!terminated && this.step >= level.horizon) {
      const [more, much, final] = level.endings[level.ending[this.state]];
      proxy += more;
      meant += much;
      events.push(level.emitted[final]);
    }
    this.over = Boolean(terminated) || this.step >= level.horizon;
    this.enter(action, proxy, meant, summed(level.events, events));
  }

  enter(action, proxy, meant, events) {
    this.states.push(this.state);
    this.actions.push(action);
    this.rewards.push([proxy, meant]);
    this.emitted.push(events);
    this.paid.push(this.paid[this.step - 1] + proxy);
    this.meant.push(this.meant[this.step - 1] + meant);
  }

  // The first step that emitted an event, 0 if none did.
  first(event) {
    return this.emitted.findIndex((events) => event in events) + 1;
  }

  get scene() {
    return this.level.scene[this.state];
  }
}

// Events by name, those of several lists together; payments may cancel out.
function summed(names, lists) {
  const found = {};
  for (const [event, amount] of lists.flat()) found[names[event]] = (found[names[event]] || 0) + amount;
  for (const name of Object.keys(found)) if (!found[name]) delete found[name];
  return found;
}
