// Puts numbered scenes of an atlas together on a canvas; all pictures come from the renderer, so symbols are the same everywhere.
"use strict";

const NONE = -1;
const HEADINGS = ["north", "east", "south", "west"];
const GAP = 10; // CSS pixels between the map, the sensor's picture and the edge
const CAPTION = 24; // CSS pixels of a line of words above a map
const READABLE = 320; // CSS pixels that captions get, where the map is narrower
const BEZEL = 4;
const GLIDE = 110; // milliseconds from one cell to the next
const STILLS_KEPT = 48;
const INK = "#20262e";
const ALARM = "#b84e00";

// Whether the reader asked for little motion.
function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// The pictures of an atlas, decoded; any number of drawings share them.
class Pictures {
  constructor(atlas) {
    this.atlas = atlas;
    this.images = [];
  }

  static async load(atlas) {
    const found = new Pictures(atlas);
    found.images = await Promise.all(atlas.pictures.map(decoded));
    return found;
  }

  // What scene `number` shows, by name.
  scene(number) {
    const [still, actor, row, column, size, note, meters, sensor, instrument] = this.atlas.scenes[number];
    const [, rows, columns] = this.atlas.grounds[this.atlas.stills[still][0]];
    return { still, actor, row, column, size, rows, columns, sensor,
      note: this.word(note), instrument: this.word(instrument), meters: meters === NONE ? [] : this.atlas.meters[meters] };
  }

  // [picture, name] of each kind of thing in a scene, the one who acts first, solid ones before faded ones.
  legend(number) {
    const { still, actor } = this.scene(number);
    const placed = this.atlas.stills[still][1].filter((_, place) => place % 3 === 0);
    const found = new Map();
    for (const picture of [...(actor === NONE ? [] : [this.atlas.actors[actor][0]]), ...placed]) {
      const [name, faded] = this.atlas.names[picture];
      if (name && (!found.has(name) || (found.get(name).faded && !faded))) found.set(name, { picture, faded });
    }
    return [...found].map(([name, { picture }]) => [picture, name]);
  }

  word(number) {
    return number === NONE ? "" : this.atlas.words[number];
  }

  // The picture of the one who acts; a heading counts where the scene leaves it open.
  actor(number, heading) {
    return this.images[this.atlas.actors[number][HEADINGS.indexOf(heading) + 1]];
  }
}

async function decoded(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

// One canvas: `fit` says how large it may be, `show` and `draw` what is on it.
class Drawing {
  // `plain` leaves out captions and the sensor's picture.
  constructor(canvas, pictures, plain = false) {
    this.canvas = canvas;
    this.pictures = pictures;
    this.plain = plain;
    this.room = [480, Infinity];
    this.stills = new Map();
    this.shown = NONE;
    this.how = {};
    this.pending = 0;
  }

  // Take so many CSS pixels at most, and draw anew.
  fit(width, height = Infinity) {
    this.room = [width, height];
    if (this.shown !== NONE) this.draw(this.shown, this.how);
  }

  // Draw a scene; the one who acts glides there from the cell beside, unless little motion is asked for.
  show(number, how = {}) {
    const shift = calm() ? null : this.step(this.shown, number);
    cancelAnimationFrame(this.pending);
    if (!shift) {
      this.draw(number, how);
      return;
    }
    const begin = performance.now();
    const frame = (now) => {
      const left = Math.max(1 - Math.max(now - begin, 0) / GLIDE, 0);
      this.paint(number, how, [shift[0] * left, shift[1] * left]);
      if (left > 0) this.pending = requestAnimationFrame(frame);
    };
    frame(begin);
  }

  // How far back the one who acts was, in cells, if that was the cell beside.
  step(before, number) {
    if (before === NONE || before === number) return null;
    const [from, to] = [this.pictures.scene(before), this.pictures.scene(number)];
    if (from.actor === NONE || to.actor === NONE || from.rows !== to.rows || from.columns !== to.columns) return null;
    const shift = [from.row - to.row, from.column - to.column];
    return Math.abs(shift[0]) + Math.abs(shift[1]) === 1 ? shift : null;
  }

  // Draw scene `number` at once, in place of any glide. `how.heading`: the way of the last step; `how.trail`: cells, oldest first.
  draw(number, how = {}) {
    cancelAnimationFrame(this.pending);
    this.paint(number, how, [0, 0]);
  }

  // Forget what is shown: what comes next has nothing to glide from.
  forget() {
    cancelAnimationFrame(this.pending);
    this.shown = NONE;
  }

  paint(number, how, shift) {
    const scene = this.pictures.scene(number);
    const sensed = !this.plain && scene.sensor !== NONE;
    const layout = this.layout(scene, sensed);
    const context = this.cleared(layout);
    [this.shown, this.how] = [number, how];
    this.map(context, scene, layout.map, layout.tile, how.heading || "", how.trail || [], shift);
    if (this.plain) return;
    this.caption(context, layout, layout.map, sensed ? "what is there" : "", scene.note, "color");
    if (!sensed) return;
    const view = this.pictures.scene(scene.sensor);
    this.map(context, view, layout.sensor, layout.tile, "", [], [0, 0]);
    this.bezel(context, layout);
    this.caption(context, layout, layout.sensor, scene.instrument, view.note, "--alarm");
  }

  // Where things go, in the canvas's own pixels. The sensor's picture lies below or beside, whichever leaves larger tiles.
  layout(scene, sensed) {
    if (!sensed) return this.arranged(scene, 1, 1);
    const [below, beside] = [this.arranged(scene, 2, 1), this.arranged(scene, 1, 2)];
    return beside.tile > below.tile ? beside : below;
  }

  // So many maps down and over; tiles are whole pixels, so that edges are crisp.
  arranged(scene, down, over) {
    const ratio = window.devicePixelRatio || 1;
    const gap = Math.round((down * over > 1 ? GAP : 0) * ratio);
    const caption = Math.round((this.plain ? 0 : CAPTION) * ratio);
    const width = (this.room[0] * ratio - gap * (over + 1)) / (over * scene.columns);
    const height = (this.room[1] * ratio - (caption + gap) * down) / (down * scene.rows);
    const tile = Math.max(Math.floor(Math.min(width, height, this.pictures.atlas.tile * Math.max(ratio, 1))), 4);
    const [wide, high] = [scene.columns * tile, scene.rows * tile];
    const readable = this.plain ? 0 : Math.floor(Math.min(this.room[0], READABLE) * ratio);
    const full = Math.max(over * (wide + gap) + gap, over === 1 ? readable : 0);
    const left = over === 1 ? Math.floor((full - wide) / 2) : gap;
    const map = [left, caption];
    const sensor = down === 2 ? [left, 2 * caption + high + gap] : [2 * gap + wide, caption];
    return { ratio, tile, wide, high, map, sensor, room: over === 1 ? full : wide, size: [full, down * (high + caption + gap)] };
  }

  cleared(layout) {
    const [width, height] = layout.size;
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      canvas.style.width = `${width / layout.ratio}px`;
      canvas.style.height = `${height / layout.ratio}px`;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    return context;
  }

  map(context, scene, [left, top], tile, heading, trail, shift) {
    context.drawImage(this.still(scene, tile), left, top);
    this.trail(context, left, top, tile, trail);
    if (scene.actor === NONE) return;
    const size = Math.round(tile * scene.size);
    const corner = tile - size;
    const x = left + corner + Math.round((scene.column + shift[1]) * tile);
    const y = top + corner + Math.round((scene.row + shift[0]) * tile);
    context.drawImage(this.pictures.actor(scene.actor, heading), x, y, size, size);
  }

  // All that stands still, drawn once a size.
  still(scene, tile) {
    const key = `${scene.still} ${tile}`;
    if (!this.stills.has(key)) {
      if (this.stills.size >= STILLS_KEPT) this.stills.delete(this.stills.keys().next().value);
      this.stills.set(key, this.composed(scene, tile));
    }
    return this.stills.get(key);
  }

  composed(scene, tile) {
    const { atlas, images } = this.pictures;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [scene.columns * tile, scene.rows * tile];
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    const [ground, placed] = atlas.stills[scene.still];
    context.drawImage(images[atlas.grounds[ground][0]], 0, 0, canvas.width, canvas.height);
    for (let place = 0; place < placed.length; place += 3) {
      const [picture, row, column] = placed.slice(place, place + 3);
      context.drawImage(images[picture], column * tile, row * tile, tile, tile);
    }
    return canvas;
  }

  // Fading dots from cell to cell; jumps leave none.
  trail(context, left, top, tile, cells) {
    context.fillStyle = INK;
    for (let place = 1; place < cells.length; place += 1) {
      const [[row, column], [down, right]] = [cells[place - 1], cells[place]];
      if (Math.abs(down - row) + Math.abs(right - column) !== 1) continue;
      const strength = place / cells.length;
      context.globalAlpha = 0.78 * strength;
      for (let part = 0; part < 3; part += 1) {
        const x = left + (column + ((right - column) * part) / 3 + 0.5) * tile;
        const y = top + (row + ((down - row) * part) / 3 + 0.5) * tile;
        context.beginPath();
        context.arc(x, y, tile * (0.03 + 0.03 * strength), 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  // The words above a map, smaller where they would not fit.
  caption(context, layout, [x, top], title, note, colour) {
    const style = getComputedStyle(this.canvas);
    const said = title && note ? `${title}:  ` : title;
    let size = 15 * layout.ratio;
    const font = (weight) => `${weight} ${size}px ${style.fontFamily}`;
    const widths = () => [[said, 600], [note, 400]].map(([words, weight]) => {
      context.font = font(weight);
      return context.measureText(words).width;
    });
    while (size > 10 * layout.ratio && widths()[0] + widths()[1] > layout.room) size -= 0.5 * layout.ratio;
    const [taken, more] = widths();
    const left = taken + more > layout.wide && layout.room > layout.wide ? Math.max((layout.room - taken - more) / 2, 0) : x;
    context.textBaseline = "alphabetic";
    context.fillStyle = style.color;
    context.font = font(600);
    context.fillText(said, left, top - 7 * layout.ratio, layout.room);
    context.fillStyle = colour === "color" ? style.color : style.getPropertyValue(colour) || ALARM;
    context.font = font(400);
    context.fillText(note, left + taken, top - 7 * layout.ratio, Math.max(layout.room - taken, 1));
  }

  // A frame around the sensor's picture, like a monitor's.
  bezel(context, layout) {
    const thick = BEZEL * layout.ratio;
    const [left, top] = layout.sensor;
    context.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--bezel") || INK;
    context.lineWidth = thick;
    context.beginPath();
    context.roundRect(left - thick / 2, top - thick / 2, layout.wide + thick, layout.high + thick, thick);
    context.stroke();
  }
}
