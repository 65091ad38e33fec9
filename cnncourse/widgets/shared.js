// What explorers have in common. This text and grid.js stand before each explorer's own module, in one file.

// The ends of the diverging map, as in cnncourse/colors.py; the palette stands in shared.css.
const NEGATIVE = [214, 96, 77];
const POSITIVE = [67, 147, 195];
const STRONGEST = 0.6; // opacity of the largest number in a cell: text on it is readable in both modes

/**
 * How a number is printed: short, with a real minus sign.
 * @param {number} value
 * @param {number} [digits] significant digits of what is no whole number
 * @returns {string}
 */
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) < 1e-10) return "0";
  const whole = Number.isInteger(value) || Math.abs(value) >= 10 ** digits;
  const text = whole ? String(Math.round(value)) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

/**
 * The colour of a signed value: blue above zero, red below, and zero is the page's own ground.
 * Text on it has the colour of the page's text.
 * @param {number} value
 * @param {number} limit the absolute value that gets the strongest colour
 * @returns {string} a CSS colour
 */
export function diverging(value, limit) {
  const share = Math.min(Math.abs(value) / (limit || 1), 1) || 0;
  return `rgb(${(value < 0 ? NEGATIVE : POSITIVE).join(" ")} / ${(STRONGEST * share).toFixed(4)})`;
}

/**
 * How many windows fit along one axis: cnncourse.shapes.conv_output_size, but 0 where none fits.
 * @param {number} size
 * @param {number} kernelSize
 * @param {number} [stride]
 * @param {number} [padding]
 * @param {number} [dilation]
 * @returns {number}
 */
export function outputSize(size, kernelSize, stride = 1, padding = 0, dilation = 1) {
  const room = size + 2 * padding - (dilation * (kernelSize - 1) + 1);
  return room < 0 ? 0 : Math.floor(room / stride) + 1;
}

let made = 0;
/** An id that no other element of the page has. */
function unique() {
  made += 1;
  return `cx-${made}-${Math.random().toString(36).slice(2, 8)}`;
}

/** Set attributes; a function under "onclick" listens; true is an empty attribute, false and null are none. */
function assign(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === false || value == null) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Make an HTML element: html("p", { class: "cx-note" }, "text", anotherElement). */
function html(tag, attributes = {}, ...children) {
  const element = assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

/** Make an SVG element, in the same way. */
function svg(tag, attributes = {}, ...children) {
  const element = assign(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
  element.append(...children);
  return element;
}

/**
 * The frame of an explorer: its question, controls, body, a sentence on the result, and its wires to the state.
 * @param {HTMLElement} el
 * @param {object} model get, set, save_changes, on, off
 * @param {{title: string, legend?: [string, string][]}} options what it is called; [colour's name, meaning]
 * @returns {object} see the functions below; `end` is what render returns
 */
function frame(el, model, { title, legend = [] }) {
  const ui = {
    question: html("p", { class: "cx-question" }),
    controls: html("div", { class: "cx-controls" }),
    body: html("div", { class: "cx-body" }),
    status: html("p", { class: "cx-says", role: "status" }),
  };
  const ours = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && event.stopPropagation();
  const quiet = { "data-lm-suppress-shortcuts": true, onkeydown: ours }; // JupyterLab has its own use for arrow keys
  ui.root = html("div", { class: "cx", role: "group", "aria-label": title, ...quiet });
  ui.root.append(ui.question, ui.controls, ui.body, ui.status);
  if (legend.length) ui.root.append(html("ul", { class: "cx-legend" }, ...legend.map(legendItem)));
  el.replaceChildren(ui.root);
  wire(ui, model);
  for (const [name, make] of Object.entries({ knob, choice, toggle, button, grid })) {
    ui[name] = (options) => make(ui, options);
  }
  const ask = () => {
    ui.question.textContent = ui.get("question");
    ui.question.hidden = !ui.get("question");
  };
  ui.onChange(["question"], ask);
  ask();
  return ui;
}

function legendItem([name, meaning]) {
  const swatch = html("span", { class: `cx-swatch cx-${name}`, "aria-hidden": "true" });
  return html("li", {}, swatch, meaning);
}

/** Add get, set, onChange, onResize, say and end to a frame. */
function wire(ui, model) {
  const endings = [];
  let saying;
  ui.get = (name) => model.get(name);
  ui.set = (name, value) => {
    model.set(typeof name === "string" ? { [name]: value } : name);
    model.save_changes();
  };
  ui.onChange = (names, draw) => {
    for (const name of names) {
      model.on(`change:${name}`, draw);
      endings.push(() => model.off(`change:${name}`, draw));
    }
  };
  ui.width = ui.root.clientWidth; // kept: to ask for it in every drawing is slow
  const resizing = [];
  const observer = new ResizeObserver(() => {
    if (ui.root.clientWidth === ui.width) return;
    ui.width = ui.root.clientWidth;
    for (const draw of resizing) draw();
  });
  observer.observe(ui.root);
  endings.push(() => observer.disconnect());
  ui.onResize = (draw) => resizing.push(draw);
  ui.say = (text) => {
    clearTimeout(saying);
    if (ui.status.textContent === text) return; // what stands there already is not read out again
    if (!ui.status.textContent) ui.status.textContent = text;
    else saying = setTimeout(() => (ui.status.textContent = text), 250); // one sentence, not one for each step
  };
  ui.end = () => {
    clearTimeout(saying);
    for (const ending of endings) ending();
  };
}

/** What a control shows and changes: the trait `name`, or what `read` and `write` do, shown anew after `names`. */
function bind(ui, { name, names = [name], read = () => ui.get(name), write = (v) => ui.set(name, v) }, show) {
  const refresh = () => show(read());
  ui.onChange(names, refresh);
  return { read, write, refresh };
}

/**
 * A labelled slider with its value beside it.
 * @returns {{element: HTMLElement, refresh: () => void, limits: (min: number, max: number) => void}}
 */
function knob(ui, { label, min, max, step = 1, text = number, into = ui.controls, ...bound }) {
  const value = html("span", { class: "cx-value", "aria-hidden": "true" });
  const input = html("input", { id: unique(), type: "range", min, max, step });
  const wires = bind(ui, bound, (now) => {
    input.value = now;
    value.textContent = text(now);
    input.setAttribute("aria-valuetext", text(now));
  });
  input.addEventListener("input", () => wires.write(Number(input.value)));
  const element = html("div", { class: "cx-knob" }, html("label", { for: input.id }, label), input, value);
  into.append(element);
  wires.refresh();
  const limits = (least, most) => {
    assign(input, { min: least, max: most });
    wires.refresh();
  };
  return { element, refresh: wires.refresh, limits };
}

/** A labelled list to choose from; options are [value, text], values are strings. */
function choice(ui, { label, options, into = ui.controls, ...bound }) {
  const select = html("select", { id: unique() });
  select.append(...options.map(([value, text]) => html("option", { value }, text)));
  const wires = bind(ui, bound, (now) => (select.value = now));
  select.addEventListener("change", () => wires.write(select.value));
  const element = html("div", { class: "cx-choice" }, html("label", { for: select.id }, label), select);
  into.append(element);
  wires.refresh();
  return { element, refresh: wires.refresh };
}

/** A labelled box to tick. */
function toggle(ui, { label, into = ui.controls, ...bound }) {
  const input = html("input", { id: unique(), type: "checkbox" });
  const wires = bind(ui, bound, (now) => (input.checked = now));
  input.addEventListener("change", () => wires.write(input.checked));
  const element = html("div", { class: "cx-toggle" }, input, html("label", { for: input.id }, label));
  into.append(element);
  wires.refresh();
  return { element, refresh: wires.refresh };
}

/** A button; returns the element. */
function button(ui, { label, press, into = ui.controls }) {
  const element = html("button", { type: "button", class: "cx-button", onclick: press }, label);
  into.append(element);
  return element;
}
