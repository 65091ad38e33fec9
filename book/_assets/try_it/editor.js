/* A textarea for Python: grows with its text, keeps indentation, and never holds the Tab key. */

const INDENT = "    ";

/**
 * Make the editor of a cell.
 * @param {string} text what it holds at first
 * @param {string} label its name for those who listen
 * @returns {HTMLTextAreaElement}
 */
export function editor(text, label) {
  const area = document.createElement("textarea");
  Object.assign(area, { className: "try-it-editor", value: text, spellcheck: false, wrap: "off", translate: false });
  for (const name of ["autocapitalize", "autocomplete", "autocorrect"]) area.setAttribute(name, "off");
  area.setAttribute("aria-label", label);
  area.addEventListener("input", () => grow(area));
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") keepIndentation(area, event);
    if (event.key === "Backspace") takeIndentation(area, event);
  });
  grow(area);
  return area;
}

/** Replace the selected text as typing would, so that the browser's own undo brings it back. */
export function type(area, text) {
  area.focus();
  const typed = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (!typed) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function grow(area) {
  area.rows = area.value.split("\n").length;
}

function lineBefore(area) {
  const before = area.value.slice(0, area.selectionStart);
  return before.slice(before.lastIndexOf("\n") + 1);
}

function keepIndentation(area, event) {
  const line = lineBefore(area);
  const deeper = /:\s*(#.*)?$/.test(line) ? INDENT : "";
  event.preventDefault();
  type(area, `\n${/^ */.exec(line)[0]}${deeper}`);
}

function takeIndentation(area, event) {
  const line = lineBefore(area);
  if (area.selectionStart !== area.selectionEnd || !line || /[^ ]/.test(line)) return;
  event.preventDefault();
  area.selectionStart -= (line.length - 1) % INDENT.length + 1;
  type(area, "");
}
