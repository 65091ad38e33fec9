// For readers without a mouse or without a screen: focus that stays, and words for what only the eye is told.

const TOGGLES = ".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle";

/** The theme takes the focus from a button that was pressed, to be rid of its tooltip. A keyboard keeps it. */
for (const button of document.querySelectorAll(TOGGLES)) {
  const blur = button.blur.bind(button);
  button.blur = () => {
    if (!button.matches(":focus-visible")) blur();
  };
}

const status = document.createElement("p");
status.className = "only-aloud";
status.setAttribute("role", "status");
document.querySelector("main")?.append(status);

/** Say something that only the eye is told. */
function say(text) {
  status.textContent = text;
}

/** Call `listener` whenever an element or what is in it changes as `changes` says. */
function watch(element, changes, listener) {
  if (element) new MutationObserver(listener).observe(element, changes);
}

// What the switch of the colours is set to: its name says it, and a change is read out.
const switches = [...document.querySelectorAll(".theme-switch-button")];
const nameSwitches = () => {
  const name = `Color mode: ${document.documentElement.dataset.mode || "auto"}`;
  for (const each of switches) each.setAttribute("aria-label", name);
  return name;
};
nameSwitches();
watch(document.documentElement, { attributeFilter: ["data-mode"] }, () => say(nameSwitches()));

// A button that copies shows a tick, and its helper takes the focus with it.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest(".copybtn");
  if (!button) return;
  say("Copied");
  setTimeout(() => document.activeElement === document.body && button.focus({ preventScroll: true }));
});

// How many pages a search found.
watch(document.querySelector("#search-results"), { childList: true, subtree: true, characterData: true }, () => {
  const found = document.querySelector(".search-summary")?.textContent ?? "";
  if (/\d|not match/.test(found) && found !== status.textContent) say(found);
});

// A wide table that scrolls can be reached by keyboard: then it needs a name.
const nameTables = () => {
  for (const box of document.querySelectorAll(".pst-scrollable-table-container[tabindex]:not([role])")) {
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Table, scrolls sideways");
  }
};
nameTables();
watch(document.querySelector("article"), { attributeFilter: ["tabindex"], subtree: true }, nameTables);
