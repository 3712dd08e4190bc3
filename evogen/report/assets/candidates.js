"use strict";

// Candidates. What they are stands once a run in a JSON block (see evogen/report/data.py); rows, names and
// marks of them carry COHORT:ROW. A candidate's key is RUN/COHORT:ROW, such as 1/0:3.

const runs = new Map();
const named = new Map(); // key -> the elements that stand for it
const charts = []; // filled by charts.js
const state = { pointed: null, selected: null };

for (const block of document.querySelectorAll("script.candidates")) {
  const run = JSON.parse(block.textContent);
  run.places = new Map(run.refs.map((ref, place) => [ref, place]));
  runs.set(block.closest("[data-run]").dataset.run, run);
}

function keyOf(element, ref) {
  return `${element.closest("[data-run]")?.dataset.run}/${ref}`;
}

function known(key) {
  const [run, ref] = key.split("/");
  return runs.get(run)?.places.has(ref) ?? false;
}

function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function written(value) {
  if (typeof value !== "number") return value;
  const whole = Number.isInteger(value) || Math.abs(value) >= 1e4;
  const text = whole ? value.toLocaleString("en", { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−");
}

// Pairs of name and text; a column is a list of numbers, or of places in its texts.
function factsOf(key) {
  const [number, ref] = key.split("/");
  const run = runs.get(number);
  const place = run.places.get(ref);
  return Object.entries(run.columns)
    .map(([name, column]) => [name, column.texts ? column.texts[column.at[place]] : column[place]])
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => [name, written(value)]);
}

function parentsOf(key) {
  const [number, ref] = key.split("/");
  const run = runs.get(number);
  const parents = run.parents[run.places.get(ref)];
  return parents === "" ? [] : parents.split(" ");
}

// A name that selects its candidate, where the page knows what that is.
function link(run, ref) {
  const key = `${run}/${ref}`;
  if (!known(key)) return document.createTextNode(ref);
  const button = make("button", { type: "button", className: "candidate" }, ref);
  button.addEventListener("click", () => select(key));
  return button;
}

const bubble = make("div", { className: "bubble", role: "status", hidden: true });
const panel = make("aside", { className: "selected", ariaLabel: "Selected candidate", hidden: true });
panel.setAttribute("aria-live", "polite");
document.body.append(bubble, panel);

// Show which candidate is pointed at, everywhere; at a place of the window, if one is given, in words.
function point(key, place) {
  if (key !== state.pointed) {
    for (const element of named.get(state.pointed) ?? []) element.classList.remove("pointed");
    for (const element of named.get(key) ?? []) element.classList.add("pointed");
    state.pointed = key;
    for (const chart of charts) chart.ring();
  }
  bubble.hidden = key === null || place === undefined;
  if (!bubble.hidden) describe(key, place);
}

function describe(key, place) {
  const told = factsOf(key).filter(([name]) => ["fitness", "outcome", "steps", "made by"].includes(name));
  const parents = parentsOf(key).join(" ");
  if (parents !== "") told.push(["parents", parents]);
  const lines = told.map(([name, text]) => make("div", {}, make("span", {}, name), ` ${text}`));
  bubble.replaceChildren(make("strong", {}, `Candidate ${key.split("/")[1]}`), ...lines);
  const { width, height } = bubble.getBoundingClientRect();
  const left = Math.min(place.x + 14, document.documentElement.clientWidth - width - 8);
  const above = place.y - height - 12;
  bubble.style.left = `${Math.max(8, left)}px`;
  bubble.style.top = `${above < 8 ? place.y + 18 : above}px`;
}

function select(key) {
  for (const element of named.get(state.selected) ?? []) element.removeAttribute("aria-current");
  for (const element of named.get(key) ?? []) element.setAttribute("aria-current", "true");
  state.selected = key;
  for (const chart of charts) chart.ring();
  panel.hidden = key === null;
  history.replaceState(null, "", key === null ? "#" : `#run-${key}`);
  if (key === null) return;
  const [number, ref] = key.split("/");
  const facts = factsOf(key).map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text)));
  const parents = parentsOf(key).flatMap((parent) => [link(number, parent), " "]);
  if (parents.length) facts.splice(1, 0, make("div", {}, make("dt", {}, "parents"), make("dd", {}, ...parents)));
  const close = make("button", { type: "button", className: "tool", ariaLabel: "Close", title: "Close (Esc)" }, "✕");
  close.addEventListener("click", () => select(null));
  const title = make("p", { className: "title" }, make("span", {}, "Selected candidate "), make("strong", {}, ref));
  if (runs.size > 1) title.append(make("span", {}, ` of ${runs.get(number).name}`));
  panel.replaceChildren(title, close, make("dl", { className: "facts" }, ...facts));
}

function selectFromAddress() {
  const found = location.hash.match(/^#run-(\d+\/\d+:\d+)$/);
  if (found && known(found[1])) select(found[1]);
}

for (const element of document.querySelectorAll("[data-ref]")) {
  const key = keyOf(element, element.dataset.ref);
  if (!known(key)) continue;
  named.set(key, [...(named.get(key) ?? []), element]);
  element.classList.add("candidate");
  if (element.ownerSVGElement) continue; // charts.js steps through these
  element.tabIndex = 0;
  if (element.tagName !== "TR") element.setAttribute("role", "button");
  const place = () => {
    const { left, top } = element.getBoundingClientRect();
    return element.tagName === "TR" ? undefined : { x: left, y: top };
  };
  element.addEventListener("click", (event) => event.target.closest("a, button") || select(key));
  element.addEventListener("pointerenter", () => point(key, place()));
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("focus", () => point(key, place()));
  element.addEventListener("blur", () => point(null));
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    select(key);
  });
}
