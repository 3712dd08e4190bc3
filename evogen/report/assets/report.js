// Tables of class "sortable": each heading becomes a button that sorts by its column, up and down in turn.
// What has no number in a column of numbers stays at the end.
function sortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];

  const sort = (column) => {
    const head = heads[column];
    const rows = [...body.rows];
    const numbers = rows.some((row) => row.cells[column].dataset.order !== undefined);
    const value = (row) => {
      const cell = row.cells[column];
      return numbers ? Number(cell.dataset.order ?? NaN) : cell.textContent;
    };
    const first = numbers ? "descending" : "ascending";
    const second = numbers ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    const way = order === "ascending" ? 1 : -1;
    const compare = (a, b) => {
      if (!numbers) return way * a.localeCompare(b, "en", { numeric: true });
      return Number.isNaN(a) - Number.isNaN(b) || way * (a - b) || 0;
    };
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    body.append(...rows.sort((a, b) => compare(value(a), value(b))));
  };

  heads.forEach((head, column) => {
    const button = make("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });
}

for (const table of document.querySelectorAll("table.sortable")) sortable(table);

// A chart in the whole window, and back to its place.
const large = make("div", { className: "enlarged", role: "dialog", hidden: true });
large.setAttribute("aria-modal", "true");
const before = make("div", { className: "place", hidden: true });
document.body.insertBefore(large, panel);

function enlarge(figure, button) {
  before.hidden = false;
  before.style.height = `${figure.offsetHeight}px`;
  figure.replaceWith(before);
  large.append(figure);
  large.hidden = false;
  large.setAttribute("aria-label", figure.querySelector("h4").firstChild.textContent);
  document.querySelector("main").inert = true;
  button.textContent = "reduce";
  button.focus();
}

function reduce() {
  const figure = large.firstElementChild;
  const button = figure.querySelector("h4 button");
  before.replaceWith(figure);
  large.hidden = true;
  document.querySelector("main").inert = false;
  button.textContent = "enlarge";
  button.focus();
}

for (const figure of document.querySelectorAll("figure.chart")) {
  const button = make("button", { type: "button", className: "tool" }, "enlarge");
  button.addEventListener("click", () => (large.hidden ? enlarge(figure, button) : reduce()));
  figure.querySelector("h4").append(button);
}

// Only what scrolls sideways is a stop on the way through the page by Tab.
const scrolling = new ResizeObserver((entries) => {
  for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
});
for (const box of document.querySelectorAll(".scroll")) scrolling.observe(box);

// Light and dark: the reader's setting, until the switch says otherwise.
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = make("button", { type: "button", className: "tool" });
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const name = () => (theme.textContent = isDark() ? "light page" : "dark page");
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  name();
});
dark.addEventListener("change", name);
name();

const hints = [
  runs.size ? "Point at a mark to read it, click to select that candidate everywhere." : "",
  charts.some((chart) => chart.plane) ? "Drag in a chart to zoom, double-click to go back." : "",
];
const tools = make("div", { className: "tools" }, make("span", {}, hints.join(" ").trim()), theme);
document.querySelector("main").prepend(tools);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (!large.hidden) reduce();
  else if (state.selected !== null) select(null);
});
addEventListener("hashchange", selectFromAddress);
selectFromAddress();
