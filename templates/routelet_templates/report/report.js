"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const MOST_ROWS = 400; // functions in the list at once: a filter finds the others
const state = { measure: "zipped", chosen: null, path: [] };
const $ = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((one) => one !== null));
  return made;
}

function bytes(count) {
  const [unit, divisor, digits] = count < 1024 ? ["B", 1, 0] : count < 1024 * 1024 ? ["KB", 1024, 1] : ["MB", 1024 * 1024, 2];
  return `${(count / divisor).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}

const milliseconds = (us) => (us === undefined ? "–" : `${(us / 1000).toFixed(us < 10000 ? 1 : 0)} ms`);
const percent = (part, whole) => `${(whole ? (100 * part) / whole : 0).toFixed(1)} %`;
const title = (one) => (one.routes.length > 1 ? `${one.routes[0]} and ${one.routes.length - 1} more` : one.routes[0]);
const index = () => (state.measure === "zipped" ? 1 : 2);
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

function difference(one) {
  if (!one.change || one.change.kind === "same") return 0;
  return one[state.measure] - one.change[state.measure];
}

function changed(one) {
  if (!one.change || one.change.kind === "same") return null;
  if (one.change.kind === "new") return element("span", { class: "more" }, "new");
  const more = difference(one);
  const text = more === 0 ? "changed" : `${more > 0 ? "+" : "−"}${bytes(Math.abs(more))}`;
  return element("span", { class: more > 0 ? "more" : more < 0 ? "less" : "" }, text);
}

/* The list of functions. */

const ORDERS = {
  size: (a, b) => b[state.measure] - a[state.measure],
  start: (a, b) => (b.start.us ?? -1) - (a.start.us ?? -1),
  change: (a, b) => Math.abs(difference(b)) - Math.abs(difference(a)) || Number(Boolean(changed(b))) - Number(Boolean(changed(a))),
  route: (a, b) => (a.routes[0] < b.routes[0] ? -1 : 1),
};

function drawList() {
  const wanted = $("filter").value.toLowerCase();
  const found = data.functions.filter((one) => [one.name, ...one.routes, ...one.pages].some((text) => text.toLowerCase().includes(wanted)));
  found.sort(ORDERS[$("order").value]);
  const largest = Math.max(...data.functions.map((one) => one[state.measure]), 1);
  $("functions").replaceChildren(...found.slice(0, MOST_ROWS).map((one) => row(one, largest)));
  const left = found.length - MOST_ROWS;
  $("left-out").textContent = left > 0 ? `${plural(left, "more function")}: filter to find them` : found.length ? "" : "No route has that in its name.";
}

function row(one, largest) {
  const input = element("input", { type: "radio", name: "function", value: one.name, checked: one === state.chosen, onchange: () => choose(one) });
  return element("label", {}, input,
    element("div", { class: "row" }, element("span", { class: "route" }, title(one)), element("span", { class: "number" }, bytes(one[state.measure]))),
    element("div", { class: "bar", style: { width: `${(100 * one[state.measure]) / largest}%` } }),
    element("div", { class: "row small" }, element("span", {}, one.start.us === undefined ? "imports not measured" : `imports take ${milliseconds(one.start.us)}`), changed(one)));
}

function choose(one) {
  state.chosen = one;
  state.path = [];
  history.replaceState(null, "", `#${encodeURIComponent(one.name)}`);
  drawFunction();
}

/* One function. */

function drawFunction() {
  const one = state.chosen;
  const figures = [["zipped", bytes(one.zipped)], ["unzipped", bytes(one.unzipped)]];
  if (one.start.us !== undefined) figures.push(["imports at start", milliseconds(one.start.us)], ["modules at start", one.start.modules]);
  figures.push(["runtime", `Python ${one.python}, ${one.architecture}`]);
  const notes = [["Left to the host", one.provided], ["Optional and left out", one.omitted]].filter(([, names]) => names.length);
  $("function").replaceChildren(
    element("h2", {}, title(one)), files(one),
    element("dl", { class: "figures" }, ...figures.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value))))),
    ...notes.map(([what, names]) => element("p", { class: "note" }, `${what}: ${names.join(", ")}`)),
    element("div", { class: "path" }), element("div", { class: "map" }), element("p", { class: "about" }, "Enter or a click opens a part, Escape goes back; arrows move."),
    ...cuts(one), ...changes(one), ...imports(one));
  drawMap();
}

function files(one) {
  const named = one.pages.map((page) => element("code", {}, page));
  if (named.length === 1) return element("p", { class: "files" }, named[0]);
  return element("details", {}, element("summary", {}, plural(one.routes.length, "route")), ...one.routes.map((route, number) => element("p", { class: "files" }, `${route}  `, named[number] ?? "")));
}

const row_of = (cells, tag = "td") => element("tr", {}, ...cells.map(([kind, content]) => element(tag, { class: kind || null, scope: tag === "th" ? "col" : null }, content)));

function table(kind, heads, rows) {
  return element("div", { class: "scroll" }, element("table", { class: kind }, element("thead", {}, row_of(heads, "th")), element("tbody", {}, ...rows.map((cells) => row_of(cells)))));
}

function cuts(one) {
  const head = element("h3", {}, "Imports to cut first");
  if (!one.cuts.length) return [head, element("p", { class: "note" }, "No import of the site’s own code frees a thousandth of the zip.")];
  const items = one.cuts.map((cut) => element("li", {},
    element("div", { class: "row" }, element("span", {}, cut.target, " at ", element("code", {}, `${cut.file}${cut.line ? `:${cut.line}` : ""}`)), element("span", { class: "number" }, `frees ${bytes(cut[state.measure])}`)),
    element("div", { class: "bar", style: { width: `${(100 * cut[state.measure]) / one[state.measure]}%` } }),
    element("div", { class: "row small" }, element("span", {}, cut.frees.join(", ") + (cut.more ? ` and ${cut.more} more` : "")), element("span", { class: "number" }, percent(cut[state.measure], one[state.measure])))));
  return [head, element("ol", { class: "cuts" }, ...items)];
}

function imports(one) {
  const head = element("h3", {}, "What the start imports");
  if (one.start.failure) return [head, element("p", { class: "note" }, `Not measured: ${one.start.failure}.`)];
  const rows = one.start.rows.map(([module, depth, own, total]) => [
    ["wide", element("code", { style: { "--depth": depth } }, data.modules[module])],
    ["number", milliseconds(own)], ["number", milliseconds(total)],
    ["of", element("div", { class: "bar", style: { width: `${(100 * total) / one.start.us}%` } })],
  ]);
  const left = one.start.modules - rows.length;
  const note = left ? `${plural(left, "module")} that took less than a hundredth of it ${left === 1 ? "is" : "are"} left out.` : "";
  return [head, table("imports", [["", "module"], ["number", "itself"], ["number", "with its imports"], ["of", ""]], rows), element("p", { class: "note" }, note)];
}

function changes(one) {
  const head = element("h3", {}, "Since the last build");
  if (!data.compared) return [head, element("p", { class: "note" }, "No other build is known.")];
  if (!one.change || one.change.kind === "same") return [head, element("p", { class: "note" }, "The zip is the same.")];
  if (one.change.kind === "new") return [head, element("p", { class: "note" }, "The function is new.")];
  const sizes = element("p", {}, `${bytes(one.change.zipped)} zipped before, ${bytes(one.zipped)} now.`);
  const rows = one.change.files.map(([name, before, after]) => [
    ["wide", element("code", {}, name)], ["", before ? (after ? "changed" : "removed") : "new"],
    ["number", before ? bytes(before) : "–"], ["number", after ? bytes(after) : "–"],
  ]);
  const note = one.change.more ? [element("p", { class: "note" }, `and ${plural(one.change.more, "more file")}`)] : [];
  return [head, sizes, ...(rows.length ? [table("", [["", "file"], ["", ""], ["number", "before"], ["number", "now"]], rows)] : []), ...note];
}

/* The treemap: squarified, as Bruls, Huizing and van Wijk have it (2000). */

function squarified(nodes, box) {
  const by = index();
  const rest = nodes.filter((one) => one[by] > 0).sort((a, b) => b[by] - a[by]);
  const whole = rest.reduce((sum, one) => sum + one[by], 0);
  const scale = (box.width * box.height) / whole;
  const placed = [];
  let { x, y, width, height } = box;
  while (rest.length) {
    const side = Math.min(width, height);
    const strip = [];
    let area = 0;
    let worst = Infinity;
    while (rest.length) {
      const next = rest[0][by] * scale;
      const most = Math.max(next, ...strip.map((one) => one[by] * scale));
      const least = Math.min(next, ...strip.map((one) => one[by] * scale));
      const sum = area + next;
      const ratio = Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));
      if (ratio > worst) break;
      worst = ratio;
      area = sum;
      strip.push(rest.shift());
    }
    const thick = area / side || 0;
    let along = 0;
    for (const node of strip) {
      const long = thick ? (node[by] * scale) / thick : 0;
      placed.push(width < height ? { node, x: x + along, y, width: long, height: thick } : { node, x, y: y + along, width: thick, height: long });
      along += long;
    }
    if (width < height) { y += thick; height -= thick; } else { x += thick; width -= thick; }
  }
  return placed;
}

function fills(one) {
  const found = new Map();
  let number = 0;
  const parts = one.parts.map((part) => data.parts[part]).sort((a, b) => b.tree[1] - a.tree[1]);
  for (const part of parts) {
    const own = part.kind === "distribution" ? (number < 6 ? `part-${number++}` : "others") : part.kind;
    found.set(part.tree, `var(--${own})`);
  }
  return found;
}

function drawMap() {
  const map = $("function").querySelector(".map");
  const one = state.chosen;
  const colours = fills(one);
  const inside = state.path.at(-1);
  const nodes = inside ? inside[3] : [...colours.keys()];
  const box = { x: 0, y: 0, width: map.clientWidth, height: map.clientHeight };
  const tiles = squarified(nodes, box).map((place) => tile(place, colours.get(state.path[0] ?? place.node)));
  map.replaceChildren(...tiles);
  if (tiles.length) tiles[0].tabIndex = 0;
  drawPath(inside ? inside[index()] : one[state.measure]);
}

function drawPath(size) {
  const up = (depth) => () => { state.path.length = depth; drawMap(); focusMap(); };
  const names = ["the whole zip", ...state.path.map((node) => node[0])];
  const steps = names.map((name, depth) => (depth < state.path.length ? element("button", { type: "button", onclick: up(depth) }, name) : element("b", {}, name)));
  $("function").querySelector(".path").replaceChildren(...steps.flatMap((step, depth) => (depth ? [" / ", step] : [step])), ` ${bytes(size)}`);
}

function tile({ node, x, y, width, height }, fill) {
  const [name, , , children] = node;
  const size = node[index()];
  const enter = () => { if (children) { state.path.push(node); drawMap(); focusMap(); } };
  const tell = () => { $("function").querySelector(".about").textContent = `${[...state.path.map((one) => one[0]), name].join("/")}: ${bytes(node[1])} zipped, ${bytes(node[2])} unzipped, ${percent(size, state.chosen[state.measure])} of the zip`; };
  const nested = children && width > 70 && height > 46;
  const made = element("button", {
    type: "button", class: nested ? "tile" : "tile flat", tabindex: -1, "aria-disabled": children ? null : "true",
    "aria-label": `${name}, ${bytes(size)}${children ? ", opens" : ""}`, onclick: enter, onfocus: tell, onmouseenter: tell, onkeydown: move,
    style: { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px`, "--fill": fill },
  });
  if (width > 34 && height > 17) made.append(element("span", { class: "name" }, element("b", {}, name), width > 120 ? ` ${bytes(size)}` : ""));
  if (nested) made.append(...cells(children, { x: 3, y: 19, width: width - 8, height: height - 24 }));
  return made;
}

function cells(nodes, box) {
  const seen = squarified(nodes, box).filter((one) => one.width > 3 && one.height > 3);
  return seen.map(({ node, x, y, width, height }) => {
    const named = width > 44 && height > 17;
    const made = element("span", { class: "cell", style: { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` } }, named ? node[0] : "");
    if (node[3] && width > 70 && height > 46) made.append(...cells(node[3], { x: 2, y: 17, width: width - 6, height: height - 21 }));
    return made;
  });
}

function move(event) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  if (event.key === "Escape" && state.path.length) {
    const left = state.path.pop();
    drawMap();
    focusMap(left[0]);
  } else if (event.key in steps) {
    const tiles = [...event.currentTarget.parentNode.children];
    const next = tiles[tiles.indexOf(event.currentTarget) + steps[event.key]];
    if (next) {
      event.currentTarget.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  } else return;
  event.preventDefault();
}

function focusMap(name) {
  const tiles = [...$("function").querySelector(".map").children];
  const wanted = tiles.find((one) => name && one.getAttribute("aria-label").startsWith(`${name}, `)) ?? tiles[0];
  if (wanted) wanted.focus();
}

/* What is shared, and what is gone. */

function drawShared() {
  const several = data.functions.length > 1 && data.shared.length > 0;
  const rows = data.shared.map((part) => [
    ["wide", `${part.name} ${part.version}`], ["number", String(part.functions)], ["number", bytes(part.zipped / part.functions)], ["number", bytes(part.zipped)],
  ]);
  const note = "A part of several functions is packed into each of them; sizes are zipped.";
  const gone = data.removed.map((one) => element("p", {}, `${one.routes.join(", ")}: ${bytes(one.zipped)} zipped`));
  $("shared").hidden = !several && !gone.length;
  $("shared").replaceChildren(
    ...(several ? [element("h3", {}, "Shared between functions"), element("p", { class: "note" }, note), table("", [["", "part"], ["number", "functions"], ["number", "in each"], ["number", "in all"]], rows)] : []),
    ...(gone.length ? [element("h3", {}, "Functions of the last build that are gone"), ...gone] : []));
}

function drawTotals() {
  const sum = (key) => data.functions.reduce((whole, one) => whole + one[key], 0);
  const different = data.functions.filter((one) => one.change && one.change.kind !== "same").length + data.removed.length;
  const since = !data.compared ? "" : `; ${plural(different, "function")} changed since the last build`;
  $("totals").textContent = `${plural(data.functions.length, "function")}, ${bytes(sum("zipped"))} zipped, ${bytes(sum("unzipped"))} unzipped${since}`;
}

document.title = `${data.site}: routelet report`;
$("site").textContent = data.site;
$("filter").addEventListener("input", drawList);
$("order").addEventListener("change", drawList);
for (const input of document.getElementsByName("measure")) {
  input.addEventListener("change", () => { state.measure = input.value; drawList(); drawFunction(); });
}
addEventListener("resize", drawMap);
if (data.functions.length === 1) document.body.classList.add("single");
const named = decodeURIComponent(location.hash.slice(1));
state.chosen = data.functions.find((one) => one.name === named) ?? data.functions[0];
drawTotals();
drawList();
drawFunction();
drawShared();
const marked = $("functions").querySelector(":checked");
if (marked) $("functions").scrollTop = marked.parentNode.offsetTop - $("functions").offsetTop;
