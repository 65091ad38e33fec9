/* HTML that a cell shows, cut down to what cards and tables need: nothing of it runs, and nothing is fetched. */

const ELEMENTS = new Set(
  (
    "a b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i ins kbd li mark " +
    "ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var " +
    "circle defs ellipse g line path pattern polygon polyline rect svg text title tspan"
  ).split(" "),
);
const ATTRIBUTES = new Set(
  (
    "colspan dir open rowspan scope style tabindex " +
    "cx cy d dominant-baseline dx dy fill fill-opacity font-size font-weight height opacity points r rx ry stroke " +
    "stroke-dasharray stroke-linecap stroke-opacity stroke-width text-anchor transform viewbox width x x1 x2 y y1 y2"
  ).split(" "),
);
const WORDS = new Set(["class", "lang", "role", "title"]); // what is only read, like every aria- attribute
const FETCHES = /url|image|import|\\/i; // in a style or a fill; a backslash can spell any of them

/**
 * Read HTML without running it, and keep only elements and attributes that are known to be harmless.
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function harmless(text) {
  const { body } = new DOMParser().parseFromString(text, "text/html"); // a document of its own: no script, no fetch
  for (const element of [...body.querySelectorAll("*")]) {
    if (ELEMENTS.has(element.localName)) cleanAttributes(element);
    else element.remove();
  }
  const fragment = document.createDocumentFragment();
  fragment.append(...body.childNodes);
  return fragment;
}

function cleanAttributes(element) {
  for (const { name, value } of [...element.attributes]) {
    if (name.startsWith("aria-") || WORDS.has(name)) continue;
    if (!ATTRIBUTES.has(name.toLowerCase()) || FETCHES.test(value)) element.removeAttribute(name);
  }
}
