/** The little that is needed to make elements and keep them up to date. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Makes an element. An attribute that is undefined or false is left out, one that is true is empty. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) put(element, name, value);
  element.append(...children);
  return element;
}

/** Sets an attribute, if it is another. */
export function put(element: Element, name: string, value: Attributes[string]): void {
  if (value === undefined || value === false) {
    element.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Sets a text, if it is another. */
export function write(node: Text | Element, text: string): void {
  const { firstChild } = node;
  const only = firstChild instanceof Text && firstChild.nextSibling === null ? firstChild : node;
  if (only.textContent !== text) only.textContent = text;
}

/** Gives an element the colour of an app; styles reach it as `--app`. */
export function tint(element: HTMLElement, color: string): void {
  if (element.style.getPropertyValue('--app') !== color) {
    element.style.setProperty('--app', color);
  }
}

interface Row<Item> {
  readonly element: HTMLElement;
  update(item: Item): void;
}

/** Children of an element, one for each item of a list; an item keeps its child as long as it is there. */
export class Rows<Item> {
  readonly #parent: HTMLElement;
  readonly #create: (item: Item) => Row<Item>;
  readonly #end: Node | null;
  readonly #rows = new Map<string, Row<Item>>();

  /** They stand before `end`, or last. */
  constructor(parent: HTMLElement, create: (item: Item) => Row<Item>, end: Node | null = null) {
    this.#parent = parent;
    this.#create = create;
    this.#end = end;
  }

  update(items: readonly Item[], keyOf: (item: Item) => string): void {
    const kept = new Set(items.map(keyOf));
    for (const [key, row] of this.#rows) {
      if (kept.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    let after = this.#end;
    for (const item of items.toReversed()) {
      const key = keyOf(item);
      let row = this.#rows.get(key);
      if (row === undefined) {
        row = this.#create(item);
        this.#rows.set(key, row);
      }
      if (row.element.nextSibling !== after || row.element.parentNode !== this.#parent) {
        this.#parent.insertBefore(row.element, after);
      }
      after = row.element;
      row.update(item);
    }
  }
}
