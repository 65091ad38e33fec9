// InitExplorer: how large the numbers are that a deep network hands on, and the gradients that come back.

const UNITS = 64; // of every layer
const IMAGES = 32;
const BINS = 21;
const HEIGHT = 230; // pixels of the chart
const ROOM = { left: 46, right: 12, top: 12, bottom: 34 };
const SETTINGS = ["activation", "factor", "depth", "seed"];

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
/** The activation functions, each with its slope. */
const ACTIVATIONS = {
  ReLU: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
  sigmoid: [sigmoid, (z) => sigmoid(z) * (1 - sigmoid(z))],
  none: [(z) => z, () => 1],
};

/**
 * Numbers drawn evenly from 0 to 1: the generator mulberry32, as in init.py.
 * @param {number} seed
 * @param {number} count
 * @returns {number[]}
 */
export function uniform(seed, count) {
  return Array.from({ length: count }, (_, i) => {
    const state = (seed + Math.imul(i + 1, 0x6d2b79f5)) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

/** The rows of `a`, each times every row of `b`: a matrix product with `b` transposed. */
function timesRows(a, b) {
  const out = new Float64Array(IMAGES * UNITS);
  for (let n = 0; n < IMAGES; n += 1) {
    for (let o = 0; o < UNITS; o += 1) {
      let sum = 0;
      for (let i = 0; i < UNITS; i += 1) sum += a[n * UNITS + i] * b[o * UNITS + i];
      out[n * UNITS + o] = sum;
    }
  }
  return out;
}

const transposed = (b) => b.map((_, i) => b[(i % UNITS) * UNITS + Math.floor(i / UNITS)]);

/** The signals and the gradients, each from the input on. */
function run({ activation, factor, depth, seed }) {
  const [act, slope] = ACTIVATIONS[activation];
  const batch = IMAGES * UNITS;
  const spread = Float64Array.from(uniform(seed, 2 * batch + depth * UNITS ** 2), (u) => Math.sqrt(3) * (2 * u - 1));
  const weights = Array.from({ length: depth }, (_, l) => {
    const start = 2 * batch + l * UNITS ** 2;
    return spread.slice(start, start + UNITS ** 2).map((w) => Math.sqrt(factor / UNITS) * w);
  });
  const signals = [spread.slice(0, batch)];
  const sums = weights.map((weight) => {
    const sum = timesRows(signals.at(-1), weight);
    signals.push(sum.map(act));
    return sum;
  });
  const gradients = [spread.slice(batch, 2 * batch)];
  for (let l = depth - 1; l >= 0; l -= 1) {
    const before = gradients[0].map((g, i) => g * slope(sums[l][i]));
    gradients.unshift(timesRows(before, transposed(weights[l])));
  }
  return { signals, gradients };
}

const sizeOf = (numbers) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);

/**
 * The size of the signal and of the gradient, at the input and behind every layer.
 * @param {{activation: string, factor: number, depth: number, seed: number}} state
 * @returns {{signal: number[], gradient: number[]}}
 */
export function sizes(state) {
  const { signals, gradients } = run(state);
  return { signal: signals.map(sizeOf), gradient: gradients.map(sizeOf) };
}

function counted(numbers) {
  const limit = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
  const counts = Array(BINS).fill(0);
  for (const x of numbers) counts[Math.min(BINS - 1, Math.floor(((x / limit + 1) / 2) * BINS))] += 1;
  return { counts, limit };
}

/** How many numbers of the chosen layer lie in each of 21 parts between plus and minus the largest. */
export function histogram(state) {
  return counted(run(state).signals[Math.min(state.layer, state.depth)]).counts;
}

/** A size in words: short, with a power of ten where it is very large or small. */
export function sized(value) {
  if (value === 0 || (value >= 0.001 && value < 10000)) return number(value, 2);
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${number(Number(digits), 2)}·10${raised(Number(exponent))}`;
}

const raised = (exponent) => [...String(exponent)].map((mark) => (mark === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[mark])).join("");

/** What the settings come to, in words. */
function sentence({ activation, depth }, { signal, gradient }, at, numbers) {
  const shares = {
    ReLU: [(x) => x === 0, "are 0"],
    tanh: [(x) => Math.abs(x) > 0.99, "lie beyond 0.99"],
    sigmoid: [(x) => Math.abs(x - 0.5) > 0.49, "lie within 0.01 of 0 or 1"],
  };
  const says = [`Behind layer ${depth} the signal has size ${sized(signal.at(-1))}, before the first it had ${sized(signal[0])}.`];
  says.push(`A gradient of size ${sized(gradient.at(-1))} comes back to the input with ${sized(gradient[0])}.`);
  if (at > 0 && shares[activation]) {
    const [test, what] = shares[activation];
    const share = numbers.filter(test).length / numbers.length;
    says.push(`Of the numbers behind layer ${at}, ${Math.round(100 * share)} % ${what}.`);
  }
  return says.join(" ");
}

function addControls(ui) {
  ui.choice({
    name: "activation",
    label: "activation function",
    options: Object.keys(ACTIVATIONS).map((name) => [name, name === "none" ? "none: the identity" : name]),
  });
  ui.knob({ name: "factor", label: "factor: variance × inputs", min: 0.1, max: 4, step: 0.1 });
  ui.knob({ name: "depth", label: "layers", min: 2, max: 60 });
  const layer = ui.knob({
    label: "show layer",
    min: 0,
    max: ui.get("depth"),
    names: ["layer", "depth"],
    read: () => Math.min(ui.get("layer"), ui.get("depth")),
    write: (value) => ui.set("layer", value),
  });
  ui.onChange(["depth"], () => layer.limits(0, ui.get("depth")));
  ui.button({ label: "Draw other weights", press: () => ui.set("seed", (ui.get("seed") + 1) % 10000) });
}

/** From layers and sizes to pixels. */
function plan(found, width) {
  const powers = [...found.signal, ...found.gradient].filter((size) => size > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(-1, ...powers)), Math.ceil(Math.max(1, ...powers))];
  const depth = found.signal.length - 1;
  const inner = { width: width - ROOM.left - ROOM.right, height: HEIGHT - ROOM.top - ROOM.bottom };
  return {
    low,
    high,
    depth,
    x: (layer) => ROOM.left + (layer / depth) * inner.width,
    y: (size) => ROOM.top + ((high - Math.max(size > 0 ? Math.log10(size) : low, low)) / (high - low)) * inner.height,
    layerAt: (x) => Math.max(0, Math.min(depth, Math.round(((x - ROOM.left) / inner.width) * depth))),
  };
}

function text(x, y, words, anchor = "middle") {
  return svg("text", { x, y, class: "cx-bar-text", "text-anchor": anchor, "dominant-baseline": "central" }, words);
}

/** Lines for powers of ten, numbers of layers below. */
function axes(p, width) {
  const every = Math.max(1, Math.ceil((p.high - p.low) / 6));
  const powers = [];
  for (let power = Math.ceil(p.low / every) * every; power <= p.high; power += every) powers.push(power);
  const lines = powers.map((power) => {
    const y = p.y(10 ** power);
    const style = { stroke: "currentColor", "stroke-opacity": power ? 0.15 : 0.6, "stroke-width": 1 };
    const line = svg("path", { d: `M${ROOM.left},${y}H${width - ROOM.right}`, ...style });
    return svg("g", {}, line, text(ROOM.left - 6, y, power ? `10${raised(power)}` : "1", "end"));
  });
  const step = [1, 2, 5, 10].find((each) => p.depth / each <= 8) ?? 10;
  const layers = Array.from({ length: Math.floor(p.depth / step) + 1 }, (_, i) => i * step);
  const labels = layers.map((layer) => text(p.x(layer), HEIGHT - 22, layer ? String(layer) : "input"));
  return [...lines, ...labels, text(ROOM.left + (width - ROOM.left) / 2, HEIGHT - 7, "layer")];
}

/** One line with a mark at each layer: circles for the signal, squares for the gradient. */
function curve(p, sizesOfLine, role) {
  const points = sizesOfLine.map((size, layer) => [p.x(layer), p.y(size)]);
  const dash = role === "gradient" ? "6 3" : null;
  const line = { class: `cx-${role}`, fill: "none", "stroke-width": 2.5, "stroke-dasharray": dash };
  const marks = points.map(([x, y]) =>
    role === "gradient"
      ? svg("rect", { x: x - 3, y: y - 3, width: 6, height: 6, style: "fill: var(--cx-color)", class: `cx-${role}` })
      : svg("circle", { cx: x, cy: y, r: 3.2, style: "fill: var(--cx-color)", class: `cx-${role}` }),
  );
  return svg("g", {}, svg("path", { d: `M${points.map((point) => point.join(",")).join("L")}`, ...line }), ...marks);
}

function drawChart(chart, found, at, width) {
  const p = plan(found, width);
  const here = svg("path", { class: "cx-window", d: `M${p.x(at)},${ROOM.top}V${HEIGHT - ROOM.bottom}`, "stroke-width": 3 });
  chart.replaceChildren(...axes(p, width), here, curve(p, found.gradient, "gradient"), curve(p, found.signal, "output"));
  const label = `Size of the signal from ${sized(found.signal[0])} to ${sized(found.signal.at(-1))} over ${p.depth} layers, and of the gradient back from ${sized(found.gradient.at(-1))} to ${sized(found.gradient[0])}`;
  assign(chart, { width, height: HEIGHT, "aria-label": label });
  return p;
}

/** Bars for how many numbers of a layer lie where. */
function drawBars(bars, title, numbers, at, width) {
  const { counts, limit } = counted(numbers);
  const [height, side] = [120, Math.min(width, 560) / BINS];
  const most = Math.max(...counts);
  const shapes = counts.map((count, i) => {
    const tall = (count / most) * (height - 34);
    const place = { x: i * side + 1, y: height - 22 - tall, width: side - 2, height: tall };
    return svg("rect", { ...place, class: "cx-output", style: "fill: var(--cx-color)", "fill-opacity": 0.7 });
  });
  const ends = [[0, `−${sized(limit)}`, "start"], [BINS / 2, "0", "middle"], [BINS, sized(limit), "end"]];
  const labels = ends.map(([i, words, anchor]) => text(i * side, height - 9, words, anchor));
  bars.replaceChildren(...shapes, ...labels);
  title.textContent = at ? `the numbers behind layer ${at}` : "the numbers of the input";
  const share = Math.round((100 * counts[(BINS - 1) / 2]) / numbers.length);
  const says = `They lie between −${sized(limit)} and ${sized(limit)}; ${share} % of them in the middle one of ${BINS} parts`;
  assign(bars, { width: BINS * side, height, "aria-label": `${title.textContent}. ${says}` });
}

function rowsOf({ signal, gradient }, at) {
  const depth = signal.length - 1;
  const layers = [...new Set([0, Math.round(depth / 3), Math.round((2 * depth) / 3), depth, at])].sort((a, b) => a - b);
  return layers.map((layer) => ({
    marked: layer === at,
    row: [layer ? `layer ${layer}` : "input", sized(signal[layer]), sized(gradient[layer])],
  }));
}

function render({ model, el }) {
  const ui = frame(el, model, {
    title: "A deep network at the start",
    legend: [["output", "signal, going forward (circles)"], ["gradient", "gradient, coming back (squares, dashed)"], ["window", "the layer shown below"]],
  });
  addControls(ui);
  const block = (...parts) => html("div", { class: "cx-wide" }, ...parts);
  const chart = svg("svg", { role: "img", style: "display: block" });
  const bars = svg("svg", { role: "img", style: "display: block" });
  const title = html("div", { class: "cx-label" });
  ui.body.append(block(html("div", { class: "cx-label" }, "size of the numbers (root of their mean square)"), chart));
  ui.body.append(block(title, bars));
  const table = makeTable("Size of the signal and of the gradient at some layers", ui.body);
  const state = () => Object.fromEntries([...SETTINGS, "layer"].map((name) => [name, ui.get(name)]));
  const kept = {};
  const settle = () => Object.assign(kept, run(state()));
  function draw() {
    const found = { signal: kept.signals.map(sizeOf), gradient: kept.gradients.map(sizeOf) };
    const at = Math.min(ui.get("layer"), ui.get("depth"));
    kept.plan = drawChart(chart, found, at, ui.width);
    drawBars(bars, title, kept.signals[at], at, ui.width);
    fillTable(table, ["behind", "signal", "gradient"], rowsOf(found, at));
    ui.say(sentence(state(), found, at, kept.signals[at]));
  }
  const point = (event) => {
    const layer = kept.plan.layerAt(event.clientX - chart.getBoundingClientRect().left);
    if (layer !== ui.get("layer")) ui.set("layer", layer);
  };
  chart.addEventListener("pointermove", point);
  chart.addEventListener("pointerdown", point);
  ui.onChange(SETTINGS, () => {
    settle();
    draw();
  });
  ui.onChange(["layer"], draw);
  ui.onResize(draw);
  settle();
  draw();
  return ui.end;
}

export default { render };
