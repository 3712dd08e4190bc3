// Charts. The picture is complete without this; here are pointing, stepping and selecting, and zooming by hand.
// Lengths are units of the SVG.

const NEAR = 14; // how far from a mark one may point

class Chart {
  constructor(svg, number) {
    this.svg = svg;
    const axes = svg.querySelector(":scope > g.axes[data-span]");
    this.plane = axes ? new Plane(svg, axes, number) : null;
    this.rings = svg.appendChild(draw(svg, "g", { class: "rings" }));
    this.silent = !svg.querySelector(".marks, .candidate");
    if (this.silent && !this.plane) return;
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    const keys = this.silent ? [] : ["arrow keys step through the candidates, Enter selects"];
    if (this.plane) keys.push("plus and minus zoom, 0 shows all again");
    svg.setAttribute("aria-description", keys.join("; "));
    svg.addEventListener("pointermove", (event) => this.follow(event));
    svg.addEventListener("pointerleave", () => point(null));
    svg.addEventListener("blur", () => point(null));
    svg.addEventListener("keydown", (event) => this.key(event));
    svg.addEventListener("click", (event) => this.click(event));
    if (this.plane) this.zoomByHand();
  }

  // The marks that the page knows, by their places before zooming.
  get points() {
    if (this.found || this.silent || !this.svg.getBoundingClientRect().width) return this.found ?? [];
    this.found = [];
    for (const path of this.svg.querySelectorAll("path.marks")) {
      const places = path.getAttribute("d").match(/-?[\d.]+ -?[\d.]+/g);
      path.dataset.refs.split(" ").forEach((ref, at) => {
        const key = keyOf(path, ref);
        const [x, y] = places[at].split(" ").map(Number);
        if (known(key)) this.found.push({ key, x, y });
      });
    }
    for (const element of this.svg.querySelectorAll(".candidate")) {
      const box = element.getBoundingClientRect();
      const { x, y } = this.unitsOf({ clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 });
      this.found.push({ key: keyOf(element, element.dataset.ref), x, y });
    }
    return this.found;
  }

  unitsOf(event) {
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
  }

  windowOf({ x, y }) {
    return new DOMPoint(x, y).matrixTransform(this.svg.getScreenCTM());
  }

  // Where a point is now; undefined outside of the plane.
  seen(item) {
    if (!this.plane) return item;
    const place = this.plane.moved(item);
    return this.plane.holds(place) ? place : undefined;
  }

  nearest(event) {
    const own = event.target.closest(".candidate");
    if (own) return { key: keyOf(own, own.dataset.ref) };
    const { x, y } = this.unitsOf(event);
    let best;
    let least = NEAR;
    for (const candidate of this.points) {
      const place = this.seen(candidate);
      const far = place ? Math.hypot(place.x - x, place.y - y) : Infinity;
      if (far < least) [best, least] = [candidate, far];
    }
    return best;
  }

  // Draw rings around the marks of the candidates that are pointed at and selected.
  ring() {
    this.rings.replaceChildren();
    for (const kind of ["pointed", "selected"]) {
      if (state[kind] === null) continue;
      for (const candidate of this.points.filter(({ key }) => key === state[kind])) {
        const place = this.seen(candidate);
        if (place) this.rings.append(draw(this.svg, "circle", { cx: place.x, cy: place.y, r: 7, class: kind }));
      }
    }
  }

  follow(event) {
    const found = this.start ? undefined : this.nearest(event);
    point(found ? found.key : null, { x: event.clientX, y: event.clientY });
  }

  click(event) {
    const found = this.dragged ? undefined : this.nearest(event);
    this.dragged = false;
    if (found) select(found.key);
  }

  key(event) {
    const way = { ArrowRight: ["x", 1], ArrowLeft: ["x", -1], ArrowDown: ["y", 1], ArrowUp: ["y", -1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way && this.points.length) this.step(...way);
    else if (["Enter", " "].includes(event.key) && state.pointed !== null) select(state.pointed);
    else if (this.plane && ["+", "="].includes(event.key)) this.nearer(0.5);
    else if (this.plane && event.key === "-") this.nearer(2);
    else if (this.plane?.zoomed && ["0", "Escape"].includes(event.key)) this.reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Go to the next mark along an axis, from the one that is pointed at or else from the selected one.
  step(axis, way) {
    const other = axis === "x" ? "y" : "x";
    const order = this.points.filter((item) => this.seen(item));
    order.sort((a, b) => a[axis] - b[axis] || a[other] - b[other] || (a.key < b.key ? -1 : 1));
    const from = order.findIndex(({ key }) => key === (state.pointed ?? state.selected));
    const first = way > 0 ? 0 : order.length - 1;
    const next = order[from < 0 ? first : (from + way + order.length) % order.length];
    if (next) point(next.key, this.windowOf(this.seen(next)));
  }

  nearer(share) {
    const mark = this.points.find(({ key }) => key === state.pointed);
    this.plane.show(this.plane.around(mark && this.seen(mark), share));
    this.ring();
  }

  reset() {
    this.plane.reset();
    this.ring();
  }

  // A drag with the mouse or a pen draws a box, whose content is shown; fingers scroll the page.
  zoomByHand() {
    const { svg, plane } = this;
    let box;
    const end = () => {
      box?.remove();
      [box, this.start] = [undefined, undefined];
    };
    svg.addEventListener("pointerdown", (event) => {
      const place = this.unitsOf(event);
      if (event.button === 0 && event.pointerType !== "touch" && plane.holds(place)) this.start = place;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!this.start) return;
      svg.setPointerCapture(event.pointerId);
      const { x1, x2, y1, y2 } = plane.part(this.start, this.unitsOf(event));
      box?.remove();
      box = svg.appendChild(draw(svg, "rect", { class: "rubber", x: x1, y: y1, width: x2 - x1, height: y2 - y1 }));
    });
    svg.addEventListener("pointerup", (event) => {
      const to = this.unitsOf(event);
      this.dragged = this.start !== undefined && Math.hypot(this.start.x - to.x, this.start.y - to.y) >= SHORT;
      if (this.dragged) plane.show(plane.part(this.start, to));
      end();
      this.ring();
    });
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("dblclick", () => this.reset());
  }
}

for (const svg of document.querySelectorAll("svg")) charts.push(new Chart(svg, charts.length));
