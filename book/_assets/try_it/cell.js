/* One cell: its editor, its buttons, what it says and what it shows. */

import { editor, type } from "./editor.js";
import { harmless } from "./harmless.js";

const STARTING = "Starting Python, about 10 MB the first time…";
const AGAIN = "Python has started anew: names that were defined before must be defined again.";

/** A cell of the page, built around the code block that stands there without JavaScript. */
export class Cell {
  #before = null; // the reader's text, until a reset is taken back or the text changes

  /**
   * @param {HTMLElement} box the element that holds the code block
   * @param {import("./engine.js").Engine} engine
   * @param {(key: string, text: string | null) => string | null} memory keeps a text, or tells the one it keeps
   * @param {string} lab the address of the page about the labs
   */
  constructor(box, engine, memory, lab) {
    this.name = box.id.replace(/^try-it-/, "");
    this.original = box.querySelector("pre").textContent.replace(/\n$/, "");
    this.engine = engine;
    this.memory = memory;
    this.lab = lab;
    this.area = editor(memory(this.name) ?? this.original, `Python code of the cell ${this.name}`);
    this.#build(box);
    this.area.addEventListener("input", () => this.#changed());
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
      if (event.target !== this.area) return;
      event.preventDefault();
      this.run();
    });
    if (this.area.value !== this.original) this.say("Your text from your last visit. Reset brings back the book's.");
  }

  #build(box) {
    const head = element("div", "try-it-head", element("span", "try-it-name", `Try it: ${this.name}`));
    head.append(element("span", "try-it-keys", "Shift+Enter runs, Tab leaves the editor"));
    this.buttons = {
      run: button("Run", () => this.run()),
      stop: button("Stop", () => this.busy && this.engine.stop()),
      reset: button("Reset", () => this.#reset()),
    };
    this.buttons.run.classList.add("try-it-run");
    this.status = element("span", "try-it-status");
    this.status.setAttribute("role", "status");
    this.progress = element("progress", "try-it-progress");
    this.progress.setAttribute("aria-label", "Python is being fetched");
    this.output = element("div", "try-it-output");
    this.output.tabIndex = 0; // it scrolls
    label(this.output, `Output of the cell ${this.name}`);
    const bar = element("div", "try-it-bar", ...Object.values(this.buttons), this.progress, this.status);
    const tool = element("div", "try-it-tool", head, this.area, bar, this.output);
    label(tool, `Try it: ${this.name}`);
    box.append(tool);
    box.classList.add("try-it-live");
    this.progress.hidden = this.output.hidden = true;
    this.#setBusy(false);
  }

  /** Say in one line how things stand. */
  say(text) {
    this.status.textContent = text;
  }

  /** Run the cell and show what it does. */
  async run() {
    if (this.busy) return;
    this.#setBusy(true);
    this.output.replaceChildren();
    this.output.hidden = true;
    this.output.classList.remove("try-it-error");
    this.say("Waiting for another cell…");
    if (this.engine.takeEnded()) this.#show("note", AGAIN);
    let start = performance.now();
    const end = await this.engine.run(this.name, this.area.value, {
      loading: (share) => this.#loading(share),
      running: () => {
        start = performance.now();
        this.progress.hidden = true;
        this.say("Running…");
      },
      output: (kind, content) => this.#show(kind, content),
    });
    this.progress.hidden = true;
    this.#end(end, (performance.now() - start) / 1000);
    this.#setBusy(false);
  }

  #setBusy(busy) {
    this.busy = busy;
    // Not `disabled`, which would take the keyboard's focus away from a button that was just pressed.
    this.buttons.run.setAttribute("aria-disabled", String(busy));
    this.buttons.stop.setAttribute("aria-disabled", String(!busy));
  }

  #loading(share) {
    if (this.status.textContent !== STARTING) this.say(STARTING);
    this.progress.hidden = false;
    if (share === null) this.progress.removeAttribute("value");
    else this.progress.value = share;
  }

  #end({ how, reason }, seconds) {
    const anew = "The next run starts it anew, and names must be defined again.";
    if (how === "done") {
      const error = this.output.querySelector(".try-it-trace")?.textContent.trim().split("\n").pop();
      this.output.classList.toggle("try-it-error", Boolean(error));
      this.say(error ? "Ended with an error." : `Done in ${seconds.toFixed(seconds < 0.995 ? 2 : 1)} s.`);
      const aloud = error ?? this.output.querySelector(".try-it-card [role=group] > div")?.textContent;
      if (aloud) this.status.append(element("span", "try-it-aloud", ` ${aloud}`));
    } else if (how === "stopped") this.say(`Stopped. ${anew}`);
    else if (how === "crashed") {
      this.say(`Python itself broke off. ${anew}`);
      this.#show("error", reason.split("\n")[0]);
    } else {
      this.say(`Python cannot run here: ${reason}.`);
      const link = Object.assign(document.createElement("a"), { href: this.lab, textContent: "Open the lab" });
      const instead = this.lab ? [link, " instead: it runs on your own computer."] : ["Open the lab instead."];
      this.#append("p", "try-it-note", ...instead);
    }
  }

  #show(kind, content) {
    if (kind === "html") {
      this.#append("div", "try-it-card", harmless(content));
      return;
    }
    const kinds = { error: ["pre", "try-it-trace"], note: ["p", "try-it-note"] };
    const [tag, style] = kinds[kind] ?? ["pre", `try-it-${kind}`];
    const last = this.output.lastElementChild;
    if (kind === "text" && last?.classList.contains(style)) last.append(content);
    else this.#append(tag, style, content);
  }

  #append(tag, style, ...content) {
    const part = element(tag, style, ...content);
    this.output.append(part);
    this.output.hidden = false;
    return part;
  }

  #changed() {
    const text = this.area.value;
    this.memory(this.name, text === this.original ? "" : text);
    this.#before = null;
    this.buttons.reset.textContent = "Reset";
  }

  #reset() {
    const text = this.#before ?? this.original;
    const before = this.#before === null ? this.area.value : null;
    if (text === this.area.value) return this.say("This is the book's text already.");
    this.area.select();
    type(this.area, text);
    this.buttons.reset.focus();
    this.#before = before;
    this.buttons.reset.textContent = before === null ? "Reset" : "Undo reset";
    this.say(before === null ? "Your text is back." : "The book's text is back.");
  }
}

function element(tag, style, ...content) {
  const made = document.createElement(tag);
  made.className = style;
  made.append(...content);
  return made;
}

function label(group, text) {
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", text);
}

function button(text, press) {
  const made = element("button", "try-it-button", text);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}
