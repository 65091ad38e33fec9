// ReceptiveFieldExplorer: layers as rows of units, and what the chosen unit sees of each row below.

const KNOBS = [
  ["kernel_size", "kernel size", 1, 11],
  ["stride", "stride", 1, 4],
  ["padding", "padding", 0, 5],
  ["dilation", "dilation", 1, 8],
];
const MOST_LAYERS = 20;

/**
 * The receptive field behind each layer, along one axis.
 * @param {{kernel_size: number, stride: number, padding: number, dilation: number}[]} layers
 * @returns {{size: number, jump: number, start: number}[]} in pixels of the input; the first pixel's centre is 0
 */
export function receptiveFields(layers) {
  let [size, jump, start] = [1, 1, 0];
  return layers.map((layer) => {
    const reach = layer.dilation * (layer.kernel_size - 1);
    size += reach * jump;
    start += (reach / 2 - layer.padding) * jump;
    jump *= layer.stride;
    return { size, jump, start };
  });
}

/**
 * How many units the input and each layer have; 0 from the first layer on whose window does not fit.
 * @param {number} inputSize
 * @param {object[]} layers
 * @returns {number[]}
 */
export function sizesOf(inputSize, layers) {
  const sizes = [inputSize];
  for (const { kernel_size: kernel, stride, padding, dilation } of layers) {
    const below = sizes.at(-1);
    sizes.push(below && outputSize(below, kernel, stride, padding, dilation));
  }
  return sizes;
}

/**
 * The units that a unit is computed from: its own level first, the input last.
 * @param {number} inputSize
 * @param {object[]} layers
 * @param {number} level 0 is the input
 * @param {number} unit
 * @returns {number[][]} those below 0, or from the level's size on, are padding, and come from nothing below
 */
export function reached(inputSize, layers, level, unit) {
  const sizes = sizesOf(inputSize, layers);
  const found = [[unit]];
  for (let above = level; above > 0; above -= 1) {
    const { kernel_size: kernel, stride, padding, dilation } = layers[above - 1];
    const below = new Set();
    for (const i of found.at(-1)) {
      if (i < 0 || i >= sizes[above]) continue;
      for (let place = 0; place < kernel; place += 1) below.add(i * stride - padding + place * dilation);
    }
    found.push([...below].sort((a, b) => a - b));
  }
  return found;
}

/**
 * From where to where a unit's field goes in its own level, in each below, and in the input.
 * @param {object[]} layers
 * @param {number} level
 * @param {number} unit
 * @returns {[number, number][]} first and last, as if what padding stands for were there
 */
export function spans(layers, level, unit) {
  const found = [[unit, unit]];
  for (const { kernel_size: kernel, stride, padding, dilation } of layers.slice(0, level).reverse()) {
    const [first, last] = found.at(-1);
    found.push([first * stride - padding, last * stride - padding + dilation * (kernel - 1)]);
  }
  return found;
}

/** The chosen unit, or the nearest that exists. */
export function nearest([level, unit], sizes) {
  const highest = sizes.findLastIndex((size) => size > 0);
  const at = Math.min(level, highest);
  return [at, Math.min(unit, sizes[at] - 1)];
}

const count = (many, word) => `${many} ${word}${many === 1 ? "" : "s"}`;

/** What the chosen unit sees, in words. */
export function sentence({ layers, input_size: size, selected }) {
  const sizes = sizesOf(size, layers);
  const [level, unit] = nearest(selected, sizes);
  const stuck = sizes.indexOf(0);
  const below = count(sizes[stuck - 1], "unit");
  const fits = stuck < 0 ? "" : ` The window of ${layers[stuck - 1].name} does not fit: ${below} below it.`;
  if (!level) return `Pixel ${unit} of the input sees itself.${fits}`;
  const { size: field, jump } = receptiveFields(layers)[level - 1];
  const [first, last] = spans(layers, level, unit).at(-1);
  const inside = Math.min(last, size - 1) - Math.max(first, 0) + 1;
  const found = reached(size, layers, level, unit).at(-1).filter((pixel) => pixel >= 0 && pixel < size).length;
  const parts = [`Unit ${unit} of ${layers[level - 1].name} sees ${field} × ${field} pixels`];
  parts.push(`, along this axis from ${number(first)} to ${number(last)}`);
  if (inside < field) parts.push(`, ${field - inside} of them outside the image, where padding stands in`);
  if (found < inside) parts.push(`; only ${found} of ${inside} reach it, between them are holes`);
  return `${parts.join("")}. Its neighbour sees the same, ${count(jump, "pixel")} further.${fits}`;
}

function addControls(ui) {
  const preset = () => {
    const now = JSON.stringify([ui.get("input_size"), ui.get("layers")]);
    return ui.get("presets").find(([, ...known]) => JSON.stringify(known) === now)?.[0] ?? "own";
  };
  ui.choice({
    label: "layers",
    names: ["layers", "input_size", "presets"],
    options: [...ui.get("presets").map(([name]) => [name, name]), ["own", "your own"]],
    read: preset,
    write: (name) => {
      const found = ui.get("presets").find(([known]) => known === name);
      if (!found) return;
      const sizes = sizesOf(found[1], found[2]);
      const selected = [found[2].length, Math.floor((sizes.at(-1) - 1) / 2)];
      ui.set({ input_size: found[1], layers: found[2], selected });
    },
  });
  ui.knob({ name: "input_size", label: "input size", min: 1, max: 256 });
}

/** Knobs for the layer of the chosen unit; for the first layer if that is a pixel of the input. */
function addLayerControls(ui) {
  const into = html("div", { class: "cx-controls", role: "group" });
  const title = html("div", { class: "cx-label cx-line" });
  into.append(title);
  ui.controls.after(into);
  const place = () => Math.max(0, Math.min(ui.get("selected")[0], ui.get("layers").length) - 1);
  const now = () => ui.get("layers")[place()];
  for (const [name, label, min, max] of KNOBS) {
    const write = (value) =>
      ui.set("layers", ui.get("layers").map((layer, i) => (i === place() ? { ...layer, [name]: value } : layer)));
    ui.knob({ label, min, max, into, names: ["layers", "selected"], read: () => now()[name], write });
  }
  const add = ui.button({
    label: "Add a layer above",
    into,
    press: () => {
      const layers = [...ui.get("layers")];
      if (layers.length >= MOST_LAYERS) return;
      const fresh = { name: `new ${layers.length + 1}`, kernel_size: 3, stride: 1, padding: 0, dilation: 1 };
      layers.splice(place() + 1, 0, fresh);
      ui.set({ layers, selected: [place() + 2, ui.get("selected")[1]] });
    },
  });
  const remove = ui.button({
    label: "Remove this layer",
    into,
    press: () => {
      const layers = ui.get("layers").filter((_, i) => i !== place());
      if (!layers.length) return;
      ui.set({ layers, selected: [Math.min(place() + 1, layers.length), ui.get("selected")[1]] });
    },
  });
  return () => {
    title.textContent = `Layer ${now().name}`;
    into.setAttribute("aria-label", `layer ${now().name}`);
    add.setAttribute("aria-disabled", ui.get("layers").length >= MOST_LAYERS); // not disabled: the focus stays
    remove.setAttribute("aria-disabled", ui.get("layers").length === 1);
  };
}

function makeTable(ui) {
  const head = ["layer", "k, s, p, d", "units", "jump", "start", "size"];
  const body = html("tbody");
  const caption = "Kernel size, stride, padding, dilation; jump, start and size of the receptive field";
  const table = html("table", { class: "cx-table" }, html("caption", {}, caption));
  table.append(html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))), body);
  const region = { class: "cx-wide cx-scroll", tabindex: 0, role: "region", "aria-label": "table of the layers" };
  ui.body.append(html("div", region, table));
  return (rows, marked) =>
    body.replaceChildren(
      ...rows.map(([name, ...values], i) =>
        html(
          "tr",
          { class: i === marked ? "cx-marked" : null },
          html("th", { scope: "row" }, i === marked ? `▸ ${name}` : name),
          ...values.map((value) => html("td", {}, typeof value === "number" ? number(value, 4) : value)),
        ),
      ),
    );
}

function rowsOf(layers, sizes, fields) {
  const rows = layers.map(({ name, kernel_size: kernel, stride, padding, dilation }, i) => {
    const { jump, start, size } = fields[i];
    return [name, [kernel, stride, padding, dilation].join(", "), sizes[i + 1], jump, start, size];
  });
  return [["input", "", sizes[0], 1, 0, 1], ...rows];
}

/** Listen to pointer and keys on the rows. */
function listenTo(picture, ui, now) {
  const select = (selected) => String(selected) !== String(now().at) && ui.set("selected", selected);
  const point = (event) => {
    const box = picture.getBoundingClientRect();
    const level = now().plan.levelAt(event.clientY - box.top);
    select([level, now().plan.unitAt(level, event.clientX - box.left)]);
  };
  picture.addEventListener("pointermove", point);
  picture.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the focus goes to the chosen row, which is drawn anew
    point(event);
    picture.querySelector('[tabindex="0"]').focus();
  });
  picture.addEventListener("keydown", (event) => {
    const { at, plan, sizes } = now();
    const [level, unit] = at;
    const along = { ArrowLeft: unit - 1, ArrowRight: unit + 1, Home: 0, End: Infinity };
    const keys = Object.fromEntries(Object.entries(along).map(([key, to]) => [key, [level, to]]));
    const other = { ArrowUp: level + 1, ArrowDown: level - 1 }[event.key];
    if (other !== undefined) keys[event.key] = [other, middleOf(now(), other)];
    const to = keys[event.key];
    if (!to || event.altKey || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(plan.drawn, to[0]));
    select([next, Math.max(0, Math.min(sizes[next] - 1, to[1]))]);
    picture.querySelector(`[data-level="${next}"]`).focus();
  });
}

/** The unit of another level that lies over or under the chosen one. */
function middleOf({ at, plan, sizes }, level) {
  if (level < 0 || level > plan.drawn) return at[1];
  const middle = plan.left(at[0], at[1]) + plan.wide(at[0]) / 2;
  return Math.min(plan.unitAt(level, middle), sizes[level] - 1);
}

function render({ model, el }) {
  const ui = frame(el, model, {
    title: "Receptive field",
    legend: [["input", "input"], ["output", "layer"], ["window", "what the chosen unit sees; hatched: padding"]],
  });
  addControls(ui);
  const showLayer = addLayerControls(ui);
  const hatch = unique();
  const picture = svg("svg", { class: "cx-strips", role: "group", "aria-label": "layers, the input at the bottom" });
  ui.body.append(html("div", { class: "cx-wide" }, picture));
  const fill = makeTable(ui);
  let now;
  function draw() {
    const [layers, size] = [ui.get("layers"), ui.get("input_size")];
    const [sizes, fields] = [sizesOf(size, layers), receptiveFields(layers)];
    const at = nearest(ui.get("selected"), sizes);
    const plan = layout(sizes, fields, ui.root.clientWidth);
    now = { at, sizes, plan };
    const [all, ranges] = [reached(size, layers, ...at), spans(layers, ...at)];
    const names = ["input", ...layers.map(({ name }) => name)];
    const rows = Array.from({ length: plan.drawn + 1 }, (_, i) => plan.drawn - i);
    const strips = rows.map((level) => {
      const [units, range] = [all[at[0] - level], ranges[at[0] - level]];
      return strip({ plan, sizes, names, hatch }, level, at, range && { units, range });
    });
    const focused = picture.contains(document.activeElement);
    picture.replaceChildren(hatching(hatch), cone(plan, at, ranges), ...strips);
    assign(picture, { width: ui.root.clientWidth, height: plan.height });
    if (focused) picture.querySelector('[tabindex="0"]').focus();
    showLayer();
    fill(rowsOf(layers, sizes, fields), at[0]);
    ui.say(sentence({ layers, input_size: size, selected: at }));
  }
  listenTo(picture, ui, () => now);
  ui.onChange(["layers", "input_size", "selected"], draw);
  ui.onResize(draw);
  draw();
  return ui.end;
}

export default { render };
