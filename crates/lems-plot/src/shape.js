// Zooms and moves the pictures of the page: only what an element shows of its drawing changes.
for (const picture of document.querySelectorAll("svg")) {
  const whole = picture.viewBox.baseVal;
  const all = [whole.x, whole.y, whole.width, whole.height];
  let [x, y, width, height] = all;
  const show = () => picture.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  picture.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = picture.getBoundingClientRect();
    const right = (event.clientX - frame.left) / frame.width;
    const down = (event.clientY - frame.top) / frame.height;
    const factor = event.deltaY < 0 ? 0.8 : 1.25;
    x += width * right * (1 - factor);
    y += height * down * (1 - factor);
    width *= factor;
    height *= factor;
    show();
  }, { passive: false });
  let last = null;
  picture.addEventListener("pointerdown", (event) => {
    last = [event.clientX, event.clientY];
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (last === null) return;
    const frame = picture.getBoundingClientRect();
    x -= (event.clientX - last[0]) / frame.width * width;
    y -= (event.clientY - last[1]) / frame.height * height;
    last = [event.clientX, event.clientY];
    show();
  });
  picture.addEventListener("pointerup", () => { last = null; });
  picture.addEventListener("dblclick", () => { [x, y, width, height] = all; show(); });
}
