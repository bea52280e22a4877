// Elements are made and filled here only. Text from devices and brokers becomes text nodes, never markup.

const byID = (id) => document.getElementById(id);

const svgNamespace = "http://www.w3.org/2000/svg";

// As in the log: what cannot be seen, or turns the direction of writing round, is shown as its number. So a client id
// cannot look like another one, or reach into the text beside it.
const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, (character) =>
  ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[character] ?? `\\u{${character.codePointAt(0).toString(16)}}`);

// The same for a text of several lines.
const printableLines = (text) => text.split("\n").map(printable).join("\n");

const fill = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null)
    .map((child) => (typeof child === "string" ? printableLines(child) : child)));
  return node;
};

const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

const makeSVG = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(svgNamespace, tag), attributes, children);

// Touches the document only if something changes, so that a selection and a screen reader's place are kept.
const setText = (node, text) => {
  const shown = printableLines(text);
  if (node.textContent !== shown) node.textContent = shown;
};

const setAttribute = (node, name, value) => {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
};

// Shows `items` as children of `parent`, one for each key. Children are made once, updated in place, and moved only if
// their order changes, so that the focus stays where it is.
const keyed = (parent, items, keyOf, create, update) => {
  const known = (parent.knownChildren ??= new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, node] of known) {
    if (!wanted.has(key)) {
      node.remove();
      known.delete(key);
    }
  }
  let place = parent.firstChild;
  for (const [index, item] of items.entries()) {
    const key = keyOf(item, index);
    let node = known.get(key);
    if (!node) {
      node = create(item);
      known.set(key, node);
    }
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
    update(node, item);
  }
};

// Shows pairs of a name and a text, or several lines of it, in a <dl>; those without a text are left out.
const definitions = (list, pairs) => {
  keyed(
    list,
    pairs.filter(([, text]) => text !== undefined && text !== null),
    ([name]) => name,
    ([name]) => make("div", {}, make("dt", {}, name), make("dd")),
    (node, [, text]) => setText(node.lastChild, [text].flat().map((line) => printable(String(line))).join("\n")),
  );
};

// Tells a screen reader, without interrupting it.
const announce = (text) => setText(byID("announcement"), text);
