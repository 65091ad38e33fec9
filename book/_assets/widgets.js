// Shows the explorers of a page from the state that the build wrote into it. No other library, no other host.

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

/** The state of one explorer, with the methods that Jupyter's models have; nothing is sent anywhere. */
export class Model {
  #state;
  #listeners = new Map();

  /** @param {object} state names and values, plain data */
  constructor(state) {
    this.#state = structuredClone(state);
  }

  /** @param {string} name */
  get(name) {
    return this.#state[name];
  }

  /**
   * Change one value, `set("stride", 2)`, or several, `set({ stride: 2, padding: 1 })`; then tell the listeners.
   * @param {string | object} name
   * @param {any} [value]
   */
  set(name, value) {
    const wanted = typeof name === "string" ? { [name]: value } : name;
    const changed = Object.keys(wanted).filter((key) => !same(this.#state[key], wanted[key]));
    for (const key of changed) this.#state[key] = wanted[key];
    for (const key of changed) this.#tell(`change:${key}`, this.#state[key]);
    if (changed.length) this.#tell("change");
  }

  /** @param {string} event "change" or "change:name" */
  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  /** Without a listener: all of the event's. */
  off(event, listener) {
    this.#listeners.set(event, listener ? (this.#listeners.get(event) ?? []).filter((l) => l !== listener) : []);
  }

  save_changes() {}

  send() {}

  #tell(event, value) {
    for (const listener of this.#listeners.get(event) ?? []) listener(this, value);
  }
}

function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

const styled = new Set();

/**
 * Show one explorer.
 * @param {{render: Function, initialize?: Function}} explorer what its module exports as default
 * @param {Model} model
 * @param {HTMLElement} element what it shows takes the place of what is in here
 * @param {string} [css] added to the page once
 * @returns {Promise<Function | undefined>} ends it
 */
export async function mount(explorer, model, element, css = "") {
  if (css && !styled.has(css)) {
    styled.add(css);
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
  }
  await explorer.initialize?.({ model });
  return explorer.render({ model, el: element });
}

/** Import a module from its text; a text that is on the page several times is imported once. */
function load(text) {
  if (!loaded.has(text)) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    loaded.set(text, import(address).finally(() => URL.revokeObjectURL(address)));
  }
  return loaded.get(text);
}

const loaded = new Map();

/** Put one explorer into its place; where that fails, its description stays. */
async function show(place, state, model) {
  const description = [...place.childNodes];
  try {
    const { default: explorer } = await load(state._esm);
    await mount(explorer, model, place, state._css);
    place.classList.add("cnn-explorer-shown");
  } catch (error) {
    place.replaceChildren(...description);
    console.error(error);
  }
}

async function showAll() {
  const source = document.querySelector(STATE);
  if (!source) return;
  const { state: states } = JSON.parse(source.textContent);
  const models = new Map();
  const shown = [...document.querySelectorAll(VIEW)].map((view) => {
    const { model_id: id } = JSON.parse(view.textContent);
    const state = states[id]?.state;
    if (!state?._esm) return null;
    if (!models.has(id)) models.set(id, new Model(state));
    return show(view.parentElement, state, models.get(id));
  });
  await Promise.all(shown);
  document.documentElement.dataset.widgets = "ready";
}

await showAll();
