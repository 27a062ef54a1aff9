/** Places in a list: whoever has one keeps it until he goes, and the next to come takes the first that is free. */
export class Places {
  #all: (string | undefined)[] = [];

  /** Who is where, in order; the last is never empty. */
  get all(): readonly (string | undefined)[] {
    return this.#all;
  }

  /** These are here now, the newest last. */
  take(ids: readonly string[]): void {
    const here = new Set(ids);
    this.#all = this.#all.map((id) => (id !== undefined && here.has(id) ? id : undefined));
    const seated = new Set(this.#all);
    let at = 0;
    for (const id of ids) {
      if (seated.has(id)) continue;
      while (this.#all[at] !== undefined) at++;
      this.#all[at] = id;
    }
    while (this.#all.length > 0 && this.#all.at(-1) === undefined) this.#all.pop();
  }
}
