"use strict";
const LEFT = 70, RIGHT = 12, TOP = 8, BOTTOM = 44;

function ticks(from, to, number) {
  const rough = (to - from) / number;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough) || 10 * power;
  const found = [];
  for (let n = Math.ceil(from / step); n * step <= to + 1e-9 * step && found.length < 100; n++) found.push(n * step);
  return found.map(value => [value, Number(value.toPrecision(10)).toString()]);
}

function plot(figure) {
  const box = document.createElement("figure");
  const caption = box.appendChild(document.createElement("figcaption"));
  caption.textContent = figure.title;
  const canvas = box.appendChild(document.createElement("canvas"));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", figure.title);
  const value = box.appendChild(document.createElement("div"));
  value.className = "value";
  const legend = box.appendChild(document.createElement("div"));
  legend.className = "legend";
  document.querySelector("main").appendChild(box);

  let view = figure.bounds.slice();
  let drag = null;
  const hidden = new Set();
  const pen = canvas.getContext("2d");
  const width = () => canvas.clientWidth - LEFT - RIGHT;
  const height = () => canvas.clientHeight - TOP - BOTTOM;
  const toX = x => LEFT + (x - view[0]) / (view[1] - view[0]) * width();
  const toY = y => TOP + (view[3] - y) / (view[3] - view[2]) * height();
  const fromX = px => view[0] + (px - LEFT) / width() * (view[1] - view[0]);
  const fromY = py => view[3] - (py - TOP) / height() * (view[3] - view[2]);

  /* Number of the first point that is not left of x. */
  function at(points, x) {
    let low = 0, high = points.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[2 * middle] < x) low = middle + 1; else high = middle;
    }
    return low;
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.scale(ratio, ratio);
    pen.font = "12px sans-serif";
    pen.strokeStyle = "#e4e4e4";
    pen.fillStyle = "#222";
    pen.lineWidth = 1;
    pen.beginPath();
    pen.textAlign = "center";
    for (const [x, label] of ticks(view[0], view[1], 9)) {
      pen.moveTo(toX(x), TOP);
      pen.lineTo(toX(x), TOP + height());
      pen.fillText(label, toX(x), TOP + height() + 16);
    }
    pen.textAlign = "right";
    const rows = Math.max(1, Math.floor(view[3] - view[2]));
    for (const [y, label] of ticks(view[2], view[3], figure.raster ? Math.min(12, rows) : 7)) {
      pen.moveTo(LEFT, toY(y));
      pen.lineTo(LEFT + width(), toY(y));
      pen.fillText(label, LEFT - 6, toY(y) + 4);
    }
    pen.stroke();
    pen.textAlign = "center";
    pen.fillText(figure.x, LEFT + width() / 2, TOP + height() + 36);
    pen.save();
    pen.translate(14, TOP + height() / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(figure.y, 0, 0);
    pen.restore();
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, TOP, width(), height());
    pen.clip();
    pen.lineWidth = 1.3;
    const half = Math.min(10, Math.max(0.5, 0.35 * height() / (view[3] - view[2])));
    figure.curves.forEach((curve, index) => {
      if (hidden.has(index)) return;
      const points = curve.points;
      const first = Math.max(at(points, view[0]) - 1, 0);
      const last = Math.min(at(points, view[1]) + 1, points.length / 2);
      pen.strokeStyle = curve.color;
      pen.beginPath();
      for (let n = first; n < last; n++) {
        const px = toX(points[2 * n]), py = toY(points[2 * n + 1]);
        if (curve.marks) { pen.moveTo(px, py - half); pen.lineTo(px, py + half); }
        else if (n === first || Number.isNaN(points[2 * n - 1])) pen.moveTo(px, py);
        else pen.lineTo(px, py);
      }
      pen.stroke();
    });
    if (drag && !drag.moves) {
      pen.fillStyle = "rgba(0, 90, 200, 0.12)";
      pen.fillRect(drag.from[0], drag.from[1], drag.to[0] - drag.from[0], drag.to[1] - drag.from[1]);
    }
    pen.restore();
    pen.strokeStyle = "#222";
    pen.lineWidth = 1;
    pen.strokeRect(LEFT, TOP, width(), height());
  }

  function read(px, py) {
    let nearest = null;
    figure.curves.forEach((curve, index) => {
      if (hidden.has(index)) return;
      const after = at(curve.points, fromX(px));
      for (const n of [after - 1, after]) {
        if (n < 0 || 2 * n >= curve.points.length) continue;
        const x = curve.points[2 * n], y = curve.points[2 * n + 1];
        if (Number.isNaN(y)) continue;
        const far = Math.hypot(toX(x) - px, toY(y) - py);
        if (!nearest || far < nearest.far) nearest = { far, x, y, name: curve.name };
      }
    });
    value.textContent = nearest && nearest.far < 60
      ? nearest.name + ": " + Number(nearest.y.toPrecision(6)) + " at " + Number(nearest.x.toPrecision(7)) : "";
  }

  const place = event => {
    const edge = canvas.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  };
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    drag = { from: place(event), to: place(event), moves: event.shiftKey, view: view.slice() };
  });
  canvas.addEventListener("pointermove", event => {
    const here = place(event);
    if (!drag) { read(here[0], here[1]); return; }
    drag.to = here;
    if (drag.moves) {
      const dx = (here[0] - drag.from[0]) / width() * (drag.view[1] - drag.view[0]);
      const dy = (here[1] - drag.from[1]) / height() * (drag.view[3] - drag.view[2]);
      view = [drag.view[0] - dx, drag.view[1] - dx, drag.view[2] + dy, drag.view[3] + dy];
    }
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    if (done && !done.moves) {
      const xs = [done.from[0], done.to[0]].sort((a, b) => a - b);
      const ys = [done.from[1], done.to[1]].sort((a, b) => a - b);
      const x = xs[1] - xs[0] > 5, y = ys[1] - ys[0] > 5;
      const next = view.slice();
      if (x) [next[0], next[1]] = xs.map(fromX);
      if (y) [next[2], next[3]] = [fromY(ys[1]), fromY(ys[0])];
      view = next;
    }
    draw();
  });
  canvas.addEventListener("dblclick", () => { view = figure.bounds.slice(); draw(); });
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    const [px, py] = place(event);
    const x = fromX(px), y = fromY(py);
    view[0] = x - (x - view[0]) * factor;
    view[1] = x + (view[1] - x) * factor;
    if (!event.shiftKey) {
      view[2] = y - (y - view[2]) * factor;
      view[3] = y + (view[3] - y) * factor;
    }
    draw();
  }, { passive: false });
  if (!figure.raster) figure.curves.forEach((curve, index) => {
    const button = legend.appendChild(document.createElement("button"));
    const sample = button.appendChild(document.createElement("i"));
    sample.style.borderColor = curve.color;
    button.append(curve.name);
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const shown = hidden.delete(index);
      if (!shown) hidden.add(index);
      button.setAttribute("aria-pressed", String(shown));
      draw();
    });
  });
  window.addEventListener("resize", draw);
  draw();
}

FIGURES.forEach(plot);
