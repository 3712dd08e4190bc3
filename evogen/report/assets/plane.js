// The plane of a chart with axes: which part of it is seen. Lengths are units of the SVG.

const SHORT = 8; // a shorter drag is a click

function draw(svg, name, attributes) {
  const made = document.createElementNS(svg.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// As in evogen/report/figures.py: multiples of 1, 2 or 5 times a power of ten, and their texts.
function ticks(low, high) {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * (1 - 1e-9));
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + 1e-9 * step; at += 1) found.push(at * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const plain = step > 1e-5 && step < 1e7;
  const text = (value) =>
    plain
      ? (value + 0).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
      : value.toExponential(2);
  return found.map((value) => [value, text(value).replaceAll("-", "−")]);
}

class Plane {
  // What follows the axes goes into two groups: one that moves both ways, one for strokes that stand on the x axis.
  constructor(svg, axes, number) {
    [this.svg, this.axes] = [svg, axes];
    [this.left, this.right, this.top, this.bottom] = axes.dataset.plane.split(" ").map(Number);
    this.span = axes.dataset.span.split(" ").map(Number);
    this.whole();
    const parts = [];
    for (let part = axes.nextElementSibling; part; part = part.nextElementSibling) parts.push(part);
    const shape = draw(svg, "clipPath", { id: `plane-${number}` });
    const [x, y] = [this.left, this.top - 4]; // half a mark above
    shape.append(draw(svg, "rect", { x, y, width: this.right - x, height: this.bottom - y }));
    this.clipped = draw(svg, "g", {});
    this.shape = `url(#plane-${number})`;
    this.both = draw(svg, "g", { class: "plot" });
    this.flat = draw(svg, "g", { class: "plot" });
    this.both.append(...parts.filter((part) => !part.classList.contains("rug")));
    this.flat.append(...parts.filter((part) => part.classList.contains("rug")));
    this.clipped.append(this.both, this.flat);
    svg.append(shape, this.clipped);
  }

  // Scale and shift of either axis, by which what is drawn is moved.
  whole() {
    this.across = [1, 0];
    this.up = [1, 0];
  }

  get zoomed() {
    return this.across[0] !== 1 || this.up[0] !== 1;
  }

  moved({ x, y }) {
    return { x: this.across[0] * x + this.across[1], y: this.up[0] * y + this.up[1] };
  }

  holds({ x, y }) {
    return x > this.left - 4 && x < this.right + 4 && y > this.top - 4 && y < this.bottom + 4;
  }

  // The part between two corners; a flat or narrow one is along one axis only.
  part(from, to) {
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    let [x1, x2] = [from.x, to.x].map((x) => within(x, this.left, this.right)).sort((a, b) => a - b);
    let [y1, y2] = [from.y, to.y].map((y) => within(y, this.top, this.bottom)).sort((a, b) => a - b);
    if (y2 - y1 < SHORT) [y1, y2] = [this.top, this.bottom];
    else if (x2 - x1 < SHORT) [x1, x2] = [this.left, this.right];
    return { x1, x2, y1, y2 };
  }

  // The part around a place, `share` of what is seen now.
  around({ x, y } = { x: (this.left + this.right) / 2, y: (this.top + this.bottom) / 2 }, share) {
    const [wide, high] = [(share * (this.right - this.left)) / 2, (share * (this.bottom - this.top)) / 2];
    return { x1: x - wide, x2: x + wide, y1: y - high, y2: y + high };
  }

  show({ x1, x2, y1, y2 }) {
    const [wide, high] = [(this.right - this.left) / (x2 - x1), (this.bottom - this.top) / (y2 - y1)];
    if (Math.max(wide * this.across[0], high * this.up[0]) > 1e6) return; // beyond what numbers tell apart
    this.across = [this.across[0] * wide, (this.across[1] - x1) * wide + this.left];
    this.up = [this.up[0] * high, (this.up[1] - y1) * high + this.top];
    if (this.across[0] <= 1 && this.up[0] <= 1) this.whole();
    this.place();
  }

  reset() {
    this.whole();
    this.place();
  }

  place() {
    const [[sx, tx], [sy, ty]] = [this.across, this.up];
    this.svg.classList.toggle("zoomed", this.zoomed);
    if (this.zoomed) this.clipped.setAttribute("clip-path", this.shape);
    else this.clipped.removeAttribute("clip-path");
    this.both.setAttribute("transform", `matrix(${sx} 0 0 ${sy} ${tx} ${ty})`);
    this.flat.setAttribute("transform", `matrix(${sx} 0 0 1 ${tx} 0)`);
    for (const item of this.both.querySelectorAll("text, circle")) { // these keep their size and shape
      const [x, y] = ["x", "y"].map((axis) => Number(item.getAttribute(axis) ?? item.getAttribute(`c${axis}`)));
      item.setAttribute("transform", `matrix(${1 / sx} 0 0 ${1 / sy} ${x - x / sx} ${y - y / sy})`);
    }
    this.label();
  }

  // Draw grid and numbers for what is seen now.
  label() {
    const { left, right, top, bottom } = this;
    const [x0, x1, y0, y1] = this.span;
    const [[sx, tx], [sy, ty]] = [this.across, this.up];
    const across = (pixel) => x0 + (((pixel - tx) / sx - left) / (right - left)) * (x1 - x0);
    const up = (pixel) => y0 + ((bottom - (pixel - ty) / sy) / (bottom - top)) * (y1 - y0);
    const column = (x) => sx * (left + ((x - x0) / (x1 - x0)) * (right - left)) + tx;
    const row = (y) => sy * (bottom - ((y - y0) / (y1 - y0)) * (bottom - top)) + ty;
    const parts = [...this.axes.querySelectorAll(".name")];
    const put = (name, attributes, text = "") => {
      const made = draw(this.svg, name, attributes);
      made.textContent = text;
      parts.push(made);
    };
    for (const [value, text] of ticks(up(bottom), up(top))) {
      put("path", { d: `M${left} ${row(value)}H${right}`, class: "grid" });
      put("text", { x: left - 7, y: row(value) + 4, class: "end" }, text);
    }
    for (const [value, text] of ticks(across(left), across(right))) {
      put("path", { d: `M${column(value)} ${bottom}v4`, class: "axis" });
      const inside = Math.min(column(value), this.svg.viewBox.baseVal.width - 3.7 * text.length); // as in figures.py
      put("text", { x: inside, y: bottom + 17, class: "middle" }, text);
    }
    put("path", { d: `M${left} ${bottom}H${right}`, class: "axis" });
    this.axes.replaceChildren(...parts);
  }
}
