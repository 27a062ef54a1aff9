import { invariant, pagesFor } from '../../scheduler';

/** A page is shared by whole sequences, so counts are small. */
interface Holder {
  pages: number[];
  /** Tokens whose slots are taken. */
  tokens: number;
  live: boolean;
}

/**
 * Which sequence holds which KV pages, counted as TVM's paged KV cache counts them: full pages are
 * shared by reference, a page that a fork splits in the middle is copied, and a sequence of n tokens
 * holds ceil(n / pageSize) pages. Pages of live sequences are taken; pages that only kept (not live)
 * sequences hold can be had back. Sequences are known by their slot, a small integer.
 */
export class PageLedger {
  readonly totalPages: number;
  readonly pageSize: number;
  readonly #holders = new Map<number, Holder>();
  readonly #references: Uint16Array;
  readonly #liveReferences: Uint16Array;
  readonly #free: number[] = [];
  #livePages = 0;

  constructor(totalPages: number, pageSize: number) {
    invariant(totalPages >= 1 && pageSize >= 1, `${totalPages} pages of ${pageSize} tokens`);
    this.totalPages = totalPages;
    this.pageSize = pageSize;
    this.#references = new Uint16Array(totalPages);
    this.#liveReferences = new Uint16Array(totalPages);
    for (let page = totalPages - 1; page >= 0; page--) this.#free.push(page);
  }

  /** Pages that nothing holds. */
  get unheldPages(): number {
    return this.#free.length;
  }

  /** Pages that at least one live sequence holds. */
  get livePages(): number {
    return this.#livePages;
  }

  /** Pages that only kept sequences hold. */
  get keptPages(): number {
    return this.totalPages - this.#free.length - this.#livePages;
  }

  /** Sequences with a slot, live or kept. */
  get slots(): number {
    return this.#holders.size;
  }

  pagesFor(tokens: number): number {
    return pagesFor(tokens, this.pageSize);
  }

  tokensOf(slot: number): number {
    return this.#holder(slot).tokens;
  }

  /** Pages a sequence holds, shared ones included. */
  pagesOf(slot: number): readonly number[] {
    return this.#holder(slot).pages;
  }

  /** Pages that no other live sequence holds: they are free to be taken once this one is not live. */
  onlyLiveIn(slot: number): number {
    const { pages } = this.#holder(slot);
    return pages.reduce((count, page) => count + (this.#liveReferences[page] === 1 ? 1 : 0), 0);
  }

  /** How many of a sequence's last pages are held by nothing else. */
  unsharedTail(slot: number): number {
    const { pages } = this.#holder(slot);
    let count = 0;
    for (let i = pages.length - 1; i >= 0 && this.#references[pages[i]] === 1; i--) count++;
    return count;
  }

  /** Unheld pages that `grow` would take. */
  growth(slot: number, tokens: number): number {
    const holder = this.#holder(slot);
    return this.pagesFor(holder.tokens + tokens) - holder.pages.length;
  }

  /** A live sequence without pages. */
  open(slot: number): void {
    this.#open(slot, { pages: [], tokens: 0, live: true });
  }

  /** A live sequence that starts with another's first `tokens`. Takes a page if they end within one. */
  fork(parent: number, slot: number, tokens: number): void {
    const from = this.#holder(parent);
    if (tokens > from.tokens) throw new Error(`Slot ${parent} has fewer than ${tokens} tokens.`);
    const pages = from.pages.slice(0, Math.floor(tokens / this.pageSize));
    const holder: Holder = { pages: [], tokens, live: true };
    this.#open(slot, holder);
    for (const page of pages) this.#hold(holder, page);
    if (tokens % this.pageSize !== 0) this.#hold(holder, this.#take());
  }

  /** Takes the pages for `tokens` more. */
  grow(slot: number, tokens: number): void {
    const holder = this.#holder(slot);
    const pages = this.pagesFor(holder.tokens + tokens);
    if (pages - holder.pages.length > this.#free.length)
      throw new Error('There are no KV pages left.');
    while (holder.pages.length < pages) this.#hold(holder, this.#take());
    holder.tokens += tokens;
  }

  /** Gives back what lies beyond the first `tokens`; they must not end within a shared page. */
  shrink(slot: number, tokens: number): void {
    const holder = this.#holder(slot);
    const pages = this.pagesFor(tokens);
    if (tokens % this.pageSize !== 0 && this.#references[holder.pages[pages - 1]] > 1) {
      throw new Error(`Slot ${slot} shares the page that holds token ${tokens}.`);
    }
    while (holder.pages.length > pages) this.#letGo(holder);
    holder.tokens = tokens;
  }

  close(slot: number): void {
    const holder = this.#holder(slot);
    while (holder.pages.length > 0) this.#letGo(holder);
    this.#holders.delete(slot);
  }

  /** A kept sequence's pages can be had back; a live one's cannot. */
  setLive(slot: number, live: boolean): void {
    const holder = this.#holder(slot);
    if (holder.live === live) return;
    holder.live = live;
    for (const page of holder.pages) this.#countLive(page, live ? 1 : -1);
  }

  #open(slot: number, holder: Holder): void {
    if (this.#holders.has(slot)) throw new Error(`Slot ${slot} is taken.`);
    this.#holders.set(slot, holder);
  }

  #holder(slot: number): Holder {
    const holder = this.#holders.get(slot);
    if (holder === undefined) throw new Error(`There is no slot ${slot}.`);
    return holder;
  }

  #take(): number {
    const page = this.#free.pop();
    if (page === undefined) throw new Error('There are no KV pages left.');
    return page;
  }

  #hold(holder: Holder, page: number): void {
    holder.pages.push(page);
    this.#references[page]++;
    if (holder.live) this.#countLive(page, 1);
  }

  #letGo(holder: Holder): void {
    const page = holder.pages.pop();
    if (page === undefined) return;
    if (holder.live) this.#countLive(page, -1);
    if (--this.#references[page] === 0) this.#free.push(page);
  }

  #countLive(page: number, change: 1 | -1): void {
    const before = this.#liveReferences[page];
    this.#liveReferences[page] = before + change;
    if (before === 0) this.#livePages++;
    else if (before + change === 0) this.#livePages--;
  }
}
