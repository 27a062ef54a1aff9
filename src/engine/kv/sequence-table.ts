import { invariant, type KvState, TempoError, type TokenIds } from '../../scheduler';
import { PageLedger } from './page-ledger';
import { type PrefixMatch, RadixTree } from './radix-tree';

/** What a real KV cache is told, in the order it is to do it. Sequences are known by slot. */
export interface KvOperations {
  open(slot: number): void;
  /** `slot` becomes a copy of `parent`'s first `tokens`. */
  fork(parent: number, slot: number, tokens: number): void;
  /** The last `tokens` of a sequence go. Never crosses into pages that others share. */
  pop(slot: number, tokens: number): void;
  close(slot: number): void;
}

export interface SequenceTableOptions {
  totalPages: number;
  pageSize: number;
  /** Live sequences at once. */
  maxSequences: number;
  /** Finished sequences kept as cached prefixes, at most. 0: none. */
  maxKept: number;
  /** New sequences may start from others' pages. */
  sharing: boolean;
  /** A shared prefix may end within a page (its part of the page is copied). */
  sharesWithinPage?: boolean;
  /** The shortest prefix worth a fork, tokens. Default: a page. */
  minShare?: number;
  /** A kept sequence may lose its last pages and keep the rest. */
  trims?: boolean;
  /** The first slot number. */
  firstSlot?: number;
}

/** What prefix sharing saved. Counts since load. */
export interface PrefixMetrics {
  /** Sequences added. */
  lookups: number;
  /** Of them, those that found a prefix. */
  hits: number;
  /** Tokens of the added sequences, and how many of those were found computed. */
  tokens: number;
  cachedTokens: number;
  /** Cached prefixes given up for want of pages or slots, and the pages that gave. */
  evictedSequences: number;
  evictedPages: number;
}

interface Match extends PrefixMatch {
  /** All of a kept sequence, which can be gone on with as it is. */
  whole: boolean;
}

/**
 * The sequences whose keys and values are in the cache: live ones, by id, and finished ones that are
 * kept as prefixes until their pages are needed. A new sequence starts from the longest prefix that
 * any of them has in common with it (from one page up: less is not worth a shared block). Kept
 * sequences are given up least recently used first, from their ends. Both engines use this table; a
 * real cache follows along through `KvOperations`.
 */
export class SequenceTable implements KvState {
  readonly metrics: PrefixMetrics = {
    lookups: 0,
    hits: 0,
    tokens: 0,
    cachedTokens: 0,
    evictedSequences: 0,
    evictedPages: 0,
  };
  readonly #options: SequenceTableOptions;
  readonly #operations: KvOperations | undefined;
  readonly #ledger: PageLedger;
  readonly #tree = new RadixTree();
  /** Slots of the live, by id. */
  readonly #live = new Map<string, number>();
  /** Slots of the kept, least recently used first. */
  readonly #kept = new Set<number>();
  readonly #freeSlots: number[] = [];
  #nextSlot: number;

  constructor(options: SequenceTableOptions, operations?: KvOperations) {
    const { maxSequences, maxKept } = options;
    invariant(maxSequences >= 1 && maxKept >= 0, `${maxSequences} sequences, ${maxKept} kept`);
    this.#options = options;
    this.#operations = operations;
    this.#ledger = new PageLedger(options.totalPages, options.pageSize);
    this.#nextSlot = options.firstSlot ?? 0;
  }

  get freePages(): number {
    return this.#ledger.totalPages - this.#ledger.livePages;
  }

  get cachedPages(): number {
    return this.#ledger.keptPages;
  }

  /** Pages that hold nothing at all: what the real cache calls available. */
  get unheldPages(): number {
    return this.#ledger.unheldPages;
  }

  get liveSequences(): number {
    return this.#live.size;
  }

  get keptSequences(): number {
    return this.#kept.size;
  }

  has(id: string): boolean {
    return this.#live.has(id);
  }

  slotOf(id: string): number {
    return this.#slot(id);
  }

  /** Tokens of a live sequence that are computed, or being computed. */
  computed(id: string): number {
    return this.#ledger.tokensOf(this.#slot(id));
  }

  pagesOf(id: string): number {
    const slot = this.#live.get(id);
    return slot === undefined ? 0 : this.#ledger.onlyLiveIn(slot);
  }

  matchPrefix(tokens: TokenIds, group?: string): number {
    return this.#match(tokens, group)?.tokens ?? 0;
  }

  /** What `rematch` would find beyond what a live sequence has computed, tokens. */
  lateMatch(id: string, tokens: TokenIds, limit: number): number {
    if (!this.#options.sharing) return 0;
    const match = this.#tree.match(tokens, limit, this.#tree.groupOf(this.#slot(id)));
    const gain = this.#forkable(match?.tokens ?? 0) - this.computed(id);
    return gain < this.#minShare ? 0 : gain;
  }

  /** Makes a sequence live that has no tokens and shares nothing. */
  addEmpty(id: string, group?: string): void {
    this.#checkNew(id);
    this.#open(id, group);
  }

  /**
   * Makes a sequence live, on the longest prefix of `tokens` that is known in its group. Returns that
   * prefix's length.
   */
  add(id: string, tokens: TokenIds, group?: string): number {
    this.#checkNew(id);
    const match = this.#match(tokens, group);
    this.metrics.lookups++;
    this.metrics.tokens += tokens.length;
    const shared = match === undefined ? this.#open(id, group) : this.#startFrom(match, id);
    if (shared > 0) {
      this.metrics.hits++;
      this.metrics.cachedTokens += shared;
    }
    return shared;
  }

  /**
   * Moves a live sequence onto a prefix of `tokens` (of at most `limit`) that has become known since
   * it was added: a twin's, say, that was computed first. Worth it from one page on. Returns how many
   * of its tokens are computed now.
   */
  rematch(id: string, tokens: TokenIds, limit: number): number {
    const slot = this.#slot(id);
    const computed = this.#ledger.tokensOf(slot);
    if (this.lateMatch(id, tokens, limit) === 0) return computed;
    const match = this.#tree.match(tokens, limit, this.#tree.groupOf(slot));
    if (match === undefined) return computed;
    const moved = this.#takeSlot(match.slot);
    const shared = this.#forkTo(match.slot, moved, this.#forkable(match.tokens));
    this.#close(slot);
    this.#live.set(id, moved);
    this.metrics.hits++;
    this.metrics.cachedTokens += shared - computed;
    return shared;
  }

  /** Takes the pages for tokens `from` to `to` of `tokens`, which the next forward computes. */
  extend(id: string, tokens: TokenIds, from: number, to: number): void {
    const slot = this.#slot(id);
    this.#makeRoom(this.#ledger.growth(slot, to - from));
    this.#ledger.grow(slot, to - from);
    this.#tree.extend(slot, tokens, from, to);
  }

  /** Lets go of a live sequence; its prefix is kept, unless another covers it or `keep` is false. */
  remove(id: string, keep = true): void {
    const slot = this.#live.get(id);
    if (slot === undefined) return;
    this.#live.delete(id);
    const worthKeeping =
      keep &&
      this.#options.sharing &&
      this.#options.maxKept > 0 &&
      this.#ledger.tokensOf(slot) >= this.#options.pageSize &&
      !this.#tree.covered(slot);
    if (!worthKeeping) {
      this.#close(slot);
      return;
    }
    this.#ledger.setLive(slot, false);
    this.#kept.add(slot);
    // What this one starts with need not be kept twice.
    for (const other of [...this.#kept]) {
      if (other !== slot && this.#tree.covered(other)) this.#drop(other);
    }
    if (this.#kept.size > this.#options.maxKept) this.#evictOldest();
  }

  /** Gives up every kept prefix. */
  clearKept(): void {
    for (const slot of [...this.#kept]) this.#drop(slot);
  }

  #open(id: string, group?: string): 0 {
    const slot = this.#takeSlot();
    this.#ledger.open(slot);
    this.#tree.add(slot, group);
    this.#operations?.open(slot);
    this.#live.set(id, slot);
    return 0;
  }

  /** Starts a live sequence from a match. Returns the tokens it starts with. */
  #startFrom(match: Match, id: string): number {
    if (match.whole) {
      // The next turn of a chat: the kept sequence itself goes on. No copy, no chain of blocks.
      this.#kept.delete(match.slot);
      this.#ledger.setLive(match.slot, true);
      this.#live.set(id, match.slot);
      return match.tokens;
    }
    const slot = this.#takeSlot(match.slot);
    this.#live.set(id, slot);
    return this.#forkTo(match.slot, slot, match.tokens);
  }

  #checkNew(id: string): void {
    if (this.#live.has(id)) {
      throw new TempoError('engine_failed', `There is a sequence "${id}" already.`);
    }
    if (this.#live.size >= this.#options.maxSequences) {
      throw new TempoError(
        'engine_failed',
        `All ${this.#options.maxSequences} sequences are taken.`,
      );
    }
  }

  #slot(id: string): number {
    const slot = this.#live.get(id);
    if (slot === undefined) throw new TempoError('engine_failed', `There is no sequence "${id}".`);
    return slot;
  }

  /** One token at least is left to sample from. */
  #match(tokens: TokenIds, group?: string): Match | undefined {
    if (!this.#options.sharing) return undefined;
    const match = this.#tree.match(tokens, tokens.length - 1, group);
    if (match === undefined) return undefined;
    const { slot, tokens: matched } = match;
    const whole = this.#kept.has(slot) && matched === this.#ledger.tokensOf(slot);
    // A kept sequence is gone on with as it is, however short; a fork has its price.
    if (whole) return { slot, tokens: matched, whole };
    const forked = this.#forkable(matched);
    return forked < this.#minShare ? undefined : { slot, tokens: forked, whole };
  }

  get #minShare(): number {
    return Math.max(this.#options.minShare ?? 0, this.#options.pageSize);
  }

  /** Of so many tokens, those that a fork may start with. */
  #forkable(tokens: number): number {
    const { pageSize, sharesWithinPage } = this.#options;
    return sharesWithinPage ? tokens : tokens - (tokens % pageSize);
  }

  /** Forks, within what pages there are. Returns the tokens shared. */
  #forkTo(parent: number, slot: number, tokens: number): number {
    let shared = tokens;
    const within = tokens % this.#options.pageSize;
    if (within !== 0 && !this.#tryRoom(1, parent)) shared -= within;
    this.#touch(parent);
    this.#ledger.fork(parent, slot, shared);
    this.#tree.fork(parent, slot, shared);
    this.#operations?.fork(parent, slot, shared);
    return shared;
  }

  #touch(slot: number): void {
    if (this.#kept.delete(slot)) this.#kept.add(slot);
  }

  /** A slot number that nothing uses; `spare` is not given up for it. */
  #takeSlot(spare?: number): number {
    if (this.#live.size + this.#kept.size >= this.#options.maxSequences + this.#options.maxKept) {
      this.#evictOldest(spare);
    }
    return this.#freeSlots.pop() ?? this.#nextSlot++;
  }

  #makeRoom(pages: number, spare?: number): void {
    if (!this.#tryRoom(pages, spare)) {
      throw new TempoError('out_of_memory', 'The step needs more KV pages than there are.');
    }
  }

  /** Gives up kept prefixes until `pages` are unheld. */
  #tryRoom(pages: number, spare?: number): boolean {
    while (this.#ledger.unheldPages < pages) {
      let slot: number | undefined;
      for (const candidate of this.#kept) {
        if (candidate === spare) continue;
        slot = candidate;
        break;
      }
      if (slot === undefined) return false;
      this.#trim(slot, pages - this.#ledger.unheldPages);
    }
    return true;
  }

  /** Takes at least `pages` off a kept sequence's end, or all of it. */
  #trim(slot: number, pages: number): void {
    const held = this.#ledger.pagesOf(slot).length;
    const tail = this.#ledger.unsharedTail(slot);
    if (!this.#options.trims || tail <= pages || held - pages < 1) {
      this.metrics.evictedSequences++;
      this.metrics.evictedPages += tail;
      this.#drop(slot);
      return;
    }
    this.metrics.evictedPages += pages;
    this.#shrink(slot, (held - pages) * this.#options.pageSize);
  }

  #evictOldest(spare?: number): void {
    for (const slot of this.#kept) {
      if (slot === spare) continue;
      this.metrics.evictedSequences++;
      this.metrics.evictedPages += this.#ledger.unsharedTail(slot);
      this.#drop(slot);
      return;
    }
  }

  #drop(slot: number): void {
    this.#kept.delete(slot);
    this.#close(slot);
  }

  #shrink(slot: number, tokens: number): void {
    const computed = this.#ledger.tokensOf(slot);
    this.#ledger.shrink(slot, tokens);
    this.#tree.truncate(slot, tokens);
    this.#operations?.pop(slot, computed - tokens);
  }

  #close(slot: number): void {
    this.#ledger.close(slot);
    this.#tree.remove(slot);
    this.#operations?.close(slot);
    this.#freeSlots.push(slot);
  }
}
