"use strict";
const RIGHT = 22, TOP = 8, BELOW = 12, NUMBERS = 40, NAME_HEIGHT = 12, MOST_LETTERS = 26;
const FONT = "12px sans-serif";

/* The time that all panels show, in seconds; null while each figure shows its own. */
let shared = null;
const panels = [];
const redraw = () => panels.forEach(panel => panel.draw());

function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map(m => m * power).find(s => s >= rough) || 10 * power;
}

function ticks(from, to, number) {
  const step = roundStep((to - from) / Math.max(1, Math.floor(number)));
  const found = [];
  for (let n = Math.ceil(from / step); n * step <= to + 1e-9 * step && found.length < 100; n++) found.push(n * step);
  return found.map(value => [value, Number(value.toPrecision(10)).toString()]);
}

/* The names that there is room for: all, or those of the groups, or some. */
function readable(names, groups, low, high, apart) {
  const inside = name => name[0] >= low && name[0] <= high;
  const near = names.filter(inside);
  if (apart <= 1) return near;
  if (!groups.length) return near.filter((_, n) => n % roundStep(apart) === 0);
  const kept = [];
  for (const group of groups.filter(inside))
    if (kept.every(other => Math.abs(other[0] - group[0]) >= apart)) kept.push(group);
  return kept;
}

/* The text, or its ends if it has more than so many letters. */
const shortened = (text, most = MOST_LETTERS) => text.length <= most ? text
  : text.slice(0, most >> 1) + "…" + text.slice(-(most >> 1));

const themed = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark";

/* A colour that was chosen for white paper, lighter if it would not be seen on black. */
const painter = document.createElement("canvas").getContext("2d");
function visible(color) {
  if (!isDark()) return color;
  painter.fillStyle = "#888888";
  painter.fillStyle = color;
  const parts = [1, 3, 5].map(at => parseInt(painter.fillStyle.slice(at, at + 2), 16));
  const bright = (0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]) / 255;
  const LEAST = 0.5;
  if (bright >= LEAST) return color;
  const white = (LEAST - bright) / (1 - bright);
  return "rgb(" + parts.map(part => Math.round(part + white * (255 - part))).join(",") + ")";
}

/* Number of the first point that is not left of x. */
function at(points, x) {
  let low = 0, high = points.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[2 * middle] < x) low = middle + 1; else high = middle;
  }
  return low;
}

function plot(figure, panel, box, isLast, left) {
  if (panel.title) box.appendChild(document.createElement("h2")).textContent = panel.title;
  const canvas = box.appendChild(document.createElement("canvas"));
  const below = BELOW + (isLast ? NUMBERS : 0);
  canvas.style.height = panel.height + TOP + below + "px";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", [figure.title, panel.title, panel.y].filter(text => text).join(", "));
  const value = box.appendChild(document.createElement("div"));
  value.className = "value";
  const legend = box.appendChild(document.createElement("div"));
  legend.className = "legend";

  let range = panel.range.slice();
  let drag = null;
  const hidden = new Set();
  const pen = canvas.getContext("2d");
  const width = () => canvas.clientWidth - left - RIGHT;
  const height = () => canvas.clientHeight - TOP - below;
  const time = () => shared ? shared.map(seconds => seconds / figure.seconds) : figure.home;
  const show = (from, to) => { shared = [from * figure.seconds, to * figure.seconds]; redraw(); };
  const toX = x => left + (x - time()[0]) / (time()[1] - time()[0]) * width();
  const toY = y => TOP + (range[1] - y) / (range[1] - range[0]) * height();
  const fromX = px => time()[0] + (px - left) / width() * (time()[1] - time()[0]);
  const fromY = py => range[1] - (py - TOP) / height() * (range[1] - range[0]);

  /* A curve from its first visible point to its last, with at most four points in a column. */
  function trace(points, first, last, scale) {
    const [x0, sx, y1, sy] = scale;
    const dense = last - first > 8 * width();
    let column = -1, ends = null, alone = false, begins = true;
    const flush = () => {
      if (ends) for (const y of ends) pen.lineTo(column, y);
      ends = null;
    };
    let px = 0, py = 0;
    // A point alone would not be seen: it becomes a cross.
    const cross = () => {
      pen.moveTo(px - 3, py); pen.lineTo(px + 3, py);
      pen.moveTo(px, py - 3); pen.lineTo(px, py + 3);
    };
    for (let n = first; n < last; n++) {
      const y = points[2 * n + 1];
      if (Number.isNaN(y)) {
        flush();
        if (alone) cross();
        begins = true; alone = false;
        continue;
      }
      px = left + (points[2 * n] - x0) * sx; py = TOP + (y1 - y) * sy;
      if (begins) { flush(); pen.moveTo(px, py); begins = false; alone = true; continue; }
      alone = false;
      if (!dense) { pen.lineTo(px, py); continue; }
      const here = Math.round(px);
      if (ends && here === column) {
        ends[1] = Math.min(ends[1], py); ends[2] = Math.max(ends[2], py); ends[3] = py;
      } else { flush(); column = here; ends = [py, py, py, py]; }
    }
    flush();
    if (alone) cross();
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.scale(ratio, ratio);
    paint();
  }

  function side(y, label, color) {
    pen.moveTo(left, toY(y));
    pen.lineTo(left + width(), toY(y));
    pen.fillStyle = color ? visible(color) : themed("--ink");
    pen.fillText(label, left - 6, toY(y) + 4);
  }

  function paint() {
    const [x0, x1] = time();
    const [y0, y1] = range;
    pen.font = FONT;
    pen.strokeStyle = themed("--grid");
    pen.fillStyle = themed("--ink");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.textAlign = "center";
    for (const [x, label] of ticks(x0, x1, width() / 80)) {
      pen.moveTo(toX(x), TOP);
      pen.lineTo(toX(x), TOP + height());
      if (isLast) pen.fillText(label, toX(x), TOP + height() + 16);
    }
    pen.textAlign = "right";
    if (panel.named) {
      const apart = NAME_HEIGHT * (y1 - y0) / height();
      for (const [y, name, color] of readable(panel.names, panel.groups, y0, y1, apart)) side(y, shortened(name), color);
    } else for (const [y, label] of ticks(y0, y1, Math.max(3, height() / 40))) side(y, label, null);
    pen.stroke();
    pen.fillStyle = themed("--ink");
    pen.textAlign = "center";
    if (isLast) pen.fillText(figure.x, left + width() / 2, TOP + height() + 36);
    pen.save();
    pen.translate(14, TOP + height() / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(shortened(panel.y, Math.floor(height() / 6) + 6), 0, 0);
    pen.restore();
    pen.save();
    pen.beginPath();
    pen.rect(left, TOP, width(), height());
    pen.clip();
    pen.lineWidth = 1.3;
    pen.lineJoin = "round";
    const half = Math.min(10, Math.max(0.5, 0.4 * height() / (y1 - y0)));
    const scale = [x0, width() / (x1 - x0), y1, height() / (y1 - y0)];
    panel.curves.forEach((curve, index) => {
      if (hidden.has(index)) return;
      const points = curve.points;
      const first = Math.max(at(points, x0) - 1, 0);
      const last = Math.min(at(points, x1) + 1, points.length / 2);
      pen.strokeStyle = visible(curve.color);
      pen.beginPath();
      if (!curve.marks) trace(points, first, last, scale);
      else for (let n = first; n < last; n++) {
        const px = toX(points[2 * n]), py = toY(points[2 * n + 1]);
        pen.moveTo(px, py - half);
        pen.lineTo(px, py + half);
      }
      pen.stroke();
    });
    if (drag && !drag.moves) {
      pen.fillStyle = "rgba(60, 130, 220, 0.2)";
      pen.fillRect(drag.from[0], drag.from[1], drag.to[0] - drag.from[0], drag.to[1] - drag.from[1]);
    }
    pen.restore();
    if (panel.empty) {
      pen.fillStyle = themed("--faint");
      pen.fillText("nothing recorded", left + width() / 2, TOP + height() / 2);
    }
    pen.strokeStyle = themed("--ink");
    pen.lineWidth = 1;
    pen.strokeRect(left, TOP, width(), height());
  }

  /* The curve's own value at a place of the axis. */
  function original(y, index) {
    return panel.lanes ? (y + index) * panel.lanes[1] + panel.lanes[0] : y;
  }

  /* Tells of the event, or of the curve at the pointer's time, that is nearest to the pointer. */
  function read(px, py) {
    let nearest = null;
    const see = (x, y, curve, index) => {
      const far = Math.hypot(toX(x) - px, toY(y) - py);
      if (!Number.isNaN(far) && (!nearest || far < nearest.far)) nearest = { far, x, y, curve, index };
    };
    const x = fromX(px);
    panel.curves.forEach((curve, index) => {
      if (hidden.has(index)) return;
      const points = curve.points, after = at(points, x);
      for (const n of [after - 1, after]) if (n >= 0 && 2 * n < points.length) see(points[2 * n], points[2 * n + 1], curve, index);
      if (!curve.marks && after > 0 && 2 * after < points.length) {
        const [xa, ya, xb, yb] = points.slice(2 * after - 2, 2 * after + 2);
        see(x, ya + (yb - ya) * (x - xa) / (xb - xa), curve, index);
      }
    });
    if (!nearest || nearest.far > 60) { value.textContent = ""; return; }
    const time = Number(nearest.x.toPrecision(7));
    value.textContent = nearest.curve.marks ? nearest.curve.name + ": at " + time
      : nearest.curve.name + ": " + Number(original(nearest.y, nearest.index).toPrecision(6)) + " at " + time;
  }

  const place = event => {
    const edge = canvas.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  };
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    drag = { from: place(event), to: place(event), moves: event.shiftKey, time: time().slice(), range: range.slice() };
  });
  canvas.addEventListener("pointermove", event => {
    const here = place(event);
    if (!drag) { read(here[0], here[1]); return; }
    drag.to = here;
    if (!drag.moves) { draw(); return; }
    const dx = (here[0] - drag.from[0]) / width() * (drag.time[1] - drag.time[0]);
    const dy = (here[1] - drag.from[1]) / height() * (drag.range[1] - drag.range[0]);
    range = [drag.range[0] + dy, drag.range[1] + dy];
    show(drag.time[0] - dx, drag.time[1] - dx);
  });
  canvas.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    if (!done || done.moves) { draw(); return; }
    const xs = [done.from[0], done.to[0]].sort((a, b) => a - b);
    const ys = [done.from[1], done.to[1]].sort((a, b) => a - b);
    if (ys[1] - ys[0] > 25) range = [fromY(ys[1]), fromY(ys[0])];
    if (xs[1] - xs[0] > 5) show(fromX(xs[0]), fromX(xs[1])); else draw();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; draw(); });
  canvas.addEventListener("dblclick", () => {
    shared = null;
    panels.forEach(other => other.home());
    redraw();
  });
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    // A browser turns the wheel sideways while shift is held.
    const factor = (event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8;
    const [px, py] = place(event);
    if (event.shiftKey) {
      const y = fromY(py);
      range = range.map(end => y + (end - y) * factor);
      draw();
    } else {
      const x = fromX(px);
      show(...time().map(end => x + (end - x) * factor));
    }
  }, { passive: false });
  const samples = [];
  panel.legend.forEach(([name, color], index) => {
    const button = legend.appendChild(document.createElement("button"));
    button.type = "button";
    samples.push([button.appendChild(document.createElement("i")), color]);
    button.append(name);
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const shown = hidden.delete(index);
      if (!shown) hidden.add(index);
      button.setAttribute("aria-pressed", String(shown));
      draw();
    });
  });
  panels.push({
    draw() {
      for (const [sample, color] of samples) sample.style.borderColor = visible(color);
      draw();
    },
    home() { range = panel.range.slice(); },
    seconds: () => time().map(x => x * figure.seconds),
  });
  return { canvas, panel, hidden };
}

/* The figure as it is seen, with its title and names, as a file. */
function save(figure, parts) {
  const ratio = window.devicePixelRatio || 1;
  const LINE = 18, TITLE = 30;
  const picture = document.createElement("canvas");
  const pen = picture.getContext("2d");
  const width = parts[0].canvas.clientWidth;
  pen.font = FONT;
  const legends = parts.map(({ panel, hidden }) => {
    const shown = panel.legend.filter((_, index) => !hidden.has(index));
    const column = 40 + Math.max(0, ...shown.map(([name]) => pen.measureText(name).width));
    const perLine = Math.max(1, Math.floor((width - left) / column));
    return { shown, column, perLine, height: LINE * Math.ceil(shown.length / perLine) };
  });
  const titles = parts.map(({ panel }) => panel.title ? LINE : 0);
  const height = TITLE + parts.reduce((sum, { canvas }, n) => sum + titles[n] + canvas.clientHeight + legends[n].height, 0) + 6;
  picture.width = width * ratio;
  picture.height = height * ratio;
  pen.scale(ratio, ratio);
  pen.fillStyle = themed("--paper");
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = themed("--ink");
  pen.font = "16px sans-serif";
  pen.textAlign = "center";
  pen.fillText(figure.title, width / 2, 20, width);
  pen.textAlign = "left";
  let y = TITLE;
  parts.forEach(({ canvas, panel }, n) => {
    pen.font = "bold " + FONT;
    pen.fillStyle = themed("--ink");
    if (panel.title) pen.fillText(panel.title, left, y + 13, width - left);
    pen.font = FONT;
    y += titles[n];
    pen.drawImage(canvas, 0, y, width, canvas.clientHeight);
    y += canvas.clientHeight;
    const { shown, column, perLine, height } = legends[n];
    shown.forEach(([name, color], index) => {
      const x = left + column * (index % perLine), line = y + 12 + LINE * Math.floor(index / perLine);
      pen.fillStyle = visible(color);
      pen.fillRect(x, line - 6, 18, 3);
      pen.fillStyle = themed("--ink");
      pen.fillText(name, x + 24, line, width - x - 24);
    });
    y += height;
  });
  picture.toBlob(blob => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = (figure.title.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "figure") + ".png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}

/* Left of all panels, so that their times stand below one another: the longest name, or numbers. */
function margin() {
  painter.font = FONT;
  const letters = ([, text]) => painter.measureText(shortened(text)).width;
  const names = FIGURES.flatMap(figure => figure.panels.flatMap(panel => panel.names.concat(panel.groups)));
  return names.reduce((most, name) => Math.max(most, 34 + letters(name)), 70);
}

function show(figure, left) {
  const box = document.createElement("figure");
  box.appendChild(document.createElement("figcaption")).textContent = figure.title;
  const button = box.appendChild(document.createElement("button"));
  button.type = "button";
  button.className = "save";
  button.textContent = "save PNG";
  if (figure.size) box.style.maxWidth = figure.size[0] + "px";
  document.querySelector("main").appendChild(box);
  const inner = figure.panels.reduce((sum, panel) => sum + panel.height, 0);
  if (figure.size) for (const panel of figure.panels) panel.height *= Math.max(0.2, (figure.size[1] - 120) / inner);
  const last = figure.panels.length - 1;
  const parts = figure.panels.map((panel, index) => plot(figure, panel, box, index === last, left));
  button.addEventListener("click", () => save(figure, parts));
}

const left = margin();
document.documentElement.style.setProperty("--left", left + "px");
FIGURES.forEach(figure => show(figure, left));
document.querySelector("#theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  redraw();
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
window.addEventListener("resize", redraw);
redraw();
