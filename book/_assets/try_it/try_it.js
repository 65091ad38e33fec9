/* Turns the code blocks of `{try-it}` into cells. Nothing of Python is fetched before the first run. */

import { Cell } from "./cell.js";
import { Engine } from "./engine.js";

/** Keep the reader's text in this browser, for this page; where that is forbidden it lives as long as the page. */
function memory(name, text = null) {
  const key = `cnn-try-it:${location.pathname}:${name}`;
  try {
    if (text === null) return localStorage.getItem(key);
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    // not kept
  }
  return null;
}

const engine = new Engine();
const lab = document.querySelector("script[data-lab]")?.dataset.lab ?? "";
const cells = [...document.querySelectorAll("div.cnn-try-it")].map((box) => new Cell(box, engine, memory, lab));
document.documentElement.dataset.tryIt = String(cells.length);
