import { type GrammarSpec, TempoError } from '../../../scheduler';
import type { GrammarMatcher } from '../grammar/matcher';

/** How long the mask after a token is worth waiting for before others go on without, ms. */
const SOON_MS = 2;

/** What a matcher needs of the line to its other half. */
export interface MatcherLine {
  readonly vocabSize: number;
  readonly stopTokens: readonly number[];
  /** The matcher's next token was drawn; its mask is wanted. */
  accepted(id: number, token: number): void;
  /** Nobody is there any more: a matcher of this thread's own, which stands after `tokens`. */
  inPlace(spec: GrammarSpec, tokens: readonly number[]): Promise<GrammarMatcher>;
  /** It is not used any more. */
  closed(id: number): void;
}

/** A mask, as it came. */
export interface CameMask {
  words: Int32Array;
  terminated: boolean;
}

/**
 * A matcher whose masks another thread makes. What was drawn is checked here, against the mask; so it is
 * told at once, and the next mask is made while this thread goes on.
 */
export class RemoteMatcher implements GrammarMatcher {
  readonly #line: MatcherLine;
  readonly #id: number;
  readonly #spec: GrammarSpec;
  /** All that was accepted. */
  readonly #tokens: number[];
  /** What may come next, as soon as it is known. */
  #mask: Int32Array | undefined;
  #error: TempoError | undefined;
  #terminated: boolean;
  #soonUntilMs: number | undefined;
  /** Until the mask or the error is there. */
  #wait: Promise<void> | undefined;
  #arrived = () => {};
  /** In place of the other thread's, which has gone. */
  #own: GrammarMatcher | undefined;

  /** Stands after `tokens`, where `first` may come. */
  constructor(
    line: MatcherLine,
    id: number,
    spec: GrammarSpec,
    tokens: readonly number[],
    first: CameMask,
  ) {
    this.#line = line;
    this.#id = id;
    this.#spec = spec;
    this.#tokens = [...tokens];
    this.#mask = first.words;
    this.#terminated = first.terminated;
  }

  get terminated(): boolean {
    return this.#own?.terminated ?? this.#terminated;
  }

  get soonUntilMs(): number | undefined {
    return this.#soonUntilMs;
  }

  /** The other thread owes it a mask. */
  get waits(): boolean {
    return this.#wait !== undefined;
  }

  nextBitmask(): Int32Array {
    if (this.#own !== undefined) return this.#own.nextBitmask();
    if (this.#error !== undefined) throw this.#error;
    if (this.#mask !== undefined) return this.#mask;
    throw new TempoError('engine_failed', 'A mask was asked for before it was there.');
  }

  prepare(untilMs: number): Promise<void> | undefined {
    return this.#own !== undefined ? this.#own.prepare(untilMs) : this.#wait;
  }

  accept(token: number): boolean {
    if (this.#own?.accept(token) === false) return false;
    if (this.#own === undefined && !this.#allows(token)) return false;
    this.#tokens.push(token);
    if (this.#own !== undefined) return true;
    const { stopTokens } = this.#line;
    if (stopTokens.includes(token)) {
      // Nothing follows but the same again.
      this.#terminated = true;
      this.#mask = new Int32Array(this.#mask?.length ?? 0);
      for (const stop of stopTokens) this.#mask[stop >> 5] |= 1 << (stop & 31);
      this.dispose();
      return true;
    }
    this.#mask = undefined;
    this.#soonUntilMs = performance.now() + SOON_MS;
    this.#wait ??= new Promise((resolve) => {
      this.#arrived = resolve;
    });
    this.#line.accepted(this.#id, token);
    return true;
  }

  dispose(): void {
    this.#line.closed(this.#id);
  }

  /** The other thread says what may come next, or why nothing can. */
  came(next: CameMask | TempoError): void {
    if (next instanceof TempoError) this.#error = next;
    else this.#mask = next.words;
    this.#ready();
  }

  /** The other thread has gone: what it knew is made again here. */
  async left(): Promise<void> {
    this.#wait ??= new Promise((resolve) => {
      this.#arrived = resolve;
    });
    try {
      let count = this.#tokens.length;
      const own = await this.#line.inPlace(this.#spec, this.#tokens.slice());
      // What was drawn meanwhile.
      while (count < this.#tokens.length) own.accept(this.#tokens[count++]);
      await own.prepare(0);
      while (count < this.#tokens.length) own.accept(this.#tokens[count++]);
      this.#own = own;
    } catch (thrown) {
      this.#error = TempoError.from(thrown);
    }
    this.#ready();
  }

  #ready(): void {
    this.#wait = undefined;
    this.#soonUntilMs = undefined;
    this.#arrived();
  }

  #allows(token: number): boolean {
    if (this.#terminated || this.#mask === undefined) return false;
    if (!(token >= 0 && token < this.#line.vocabSize)) return false;
    return ((this.#mask[token >> 5] >>> (token & 31)) & 1) === 1;
  }
}
