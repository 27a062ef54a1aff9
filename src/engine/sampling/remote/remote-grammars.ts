import { type GrammarSpec, TempoError, type TokenIds } from '../../../scheduler';
import { alarm, unlessAborted } from '../../within';
import type { GrammarMatcher } from '../grammar/matcher';
import type { GrammarSource, GrammarVocabulary } from '../grammars';
import type { GrammarOrder, GrammarPort, GrammarReply, MaskReply } from './messages';
import { type CameMask, type MatcherLine, RemoteMatcher } from './remote-matcher';

/** How long it may take to start, and how long it may say nothing while something is asked of it, ms. */
const START_MS = 8_000;
const SILENCE_MS = 10_000;
const PING_EVERY_MS = 2_000;

/** A vocabulary whose token texts come bit by bit. */
export interface ComingVocabulary extends Omit<GrammarVocabulary, 'tokens'> {
  tokens(): AsyncIterable<string[]>;
}

export interface RemoteGrammarsOptions {
  port: GrammarPort;
  vocabulary: ComingVocabulary;
  /** What does the same on this thread, where the other one does not start, or dies. Called once. */
  inPlace: () => Promise<GrammarSource>;
  /** Masks may come in memory that both threads see. Default: where the page is cross-origin isolated. */
  shared?: boolean;
}

/** Who asks waits for it. */
interface Asker {
  resolve(reply: CameMask | undefined): void;
  reject(thrown: unknown): void;
}

/** The other thread is not there, or not any more. */
class Gone extends Error {}

/**
 * Grammars that are compiled, and whose masks are made, on another thread. Where that one does not
 * start, dies or hangs, all goes on in place, from where it was: nobody is told.
 */
export class RemoteGrammars implements GrammarSource {
  readonly #port: GrammarPort;
  readonly #options: RemoteGrammarsOptions;
  readonly #asked = new Map<number, Asker>();
  readonly #matchers = new Map<number, RemoteMatcher>();
  /** By number, those that the other thread will not send again. */
  readonly #masks = new Map<number, Int32Array>();
  readonly #line: MatcherLine;
  #inPlace: Promise<GrammarSource> | undefined;
  #count = 0;
  #isGone = false;
  #hasStarted = false;
  #disarm = () => {};
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor(options: RemoteGrammarsOptions) {
    const { port, vocabulary } = options;
    this.#port = port;
    this.#options = options;
    this.#line = {
      vocabSize: vocabulary.vocabSize,
      stopTokens: vocabulary.stopTokens,
      accepted: (id, token) => {
        this.#send({ type: 'accept', id, token });
        this.#watch();
      },
      inPlace: async (spec, tokens) => (await this.#own()).matcher(spec, tokens),
      closed: (id) => this.#close(id),
    };
    this.#arm(START_MS);
    port.addEventListener('message', (event) => {
      if ('data' in event) this.#hear(event.data as GrammarReply);
    });
    for (const type of ['error', 'messageerror', 'close'] as const) {
      port.addEventListener(type, (event) => {
        event.preventDefault?.(); // it is nobody else's trouble
        this.dispose();
      });
    }
    port.start?.();
    this.#sendVocabulary().catch(() => this.dispose());
  }

  async check(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const id = this.#count++;
    try {
      const checked = this.#ask({ type: 'check', id, spec });
      await (signal ? unlessAborted(checked, signal) : checked);
    } catch (thrown) {
      if (signal?.aborted) {
        this.#answered(id);
        this.#send({ type: 'cancel', id });
        throw signal.reason;
      }
      if (!(thrown instanceof Gone)) throw thrown;
      await (await this.#own()).check(spec, signal);
    }
  }

  async matcher(spec: GrammarSpec, generated: TokenIds = []): Promise<GrammarMatcher> {
    const id = this.#count++;
    const tokens = Array.from(generated);
    try {
      const order = { type: 'open', id, spec, generated: Int32Array.from(tokens) } as const;
      const first = await this.#ask(order);
      if (first === undefined || this.#isGone) throw new Gone();
      const matcher = new RemoteMatcher(this.#line, id, spec, tokens, first);
      this.#matchers.set(id, matcher);
      return matcher;
    } catch (thrown) {
      if (!(thrown instanceof Gone)) throw thrown;
      return (await this.#own()).matcher(spec, tokens);
    }
  }

  /** Ends the other thread. Whoever uses it still goes on in place. */
  dispose(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#disarm();
    clearInterval(this.#pings);
    if (this.#port.terminate !== undefined) this.#port.terminate();
    else this.#port.close?.();
    this.#masks.clear();
    const askers = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of askers) reject(new Gone());
    const matchers = [...this.#matchers.values()];
    this.#matchers.clear();
    for (const matcher of matchers) void matcher.left();
  }

  #own(): Promise<GrammarSource> {
    this.#inPlace ??= this.#options.inPlace().catch((thrown: unknown) => {
      this.#inPlace = undefined; // the next one tries again
      throw thrown;
    });
    return this.#inPlace;
  }

  async #sendVocabulary(): Promise<void> {
    const { vocabulary, shared = globalThis.crossOriginIsolated === true } = this.#options;
    for await (const tokens of vocabulary.tokens()) {
      if (this.#isGone) return;
      this.#send({ type: 'tokens', tokens });
    }
    const { encoding, vocabSize, stopTokens } = vocabulary;
    this.#send({ type: 'vocabulary', encoding, vocabSize, stopTokens: [...stopTokens], shared });
  }

  #ask(order: GrammarOrder & { type: 'check' | 'open' }): Promise<CameMask | undefined> {
    if (this.#isGone) return Promise.reject(new Gone());
    const answer = new Promise<CameMask | undefined>((resolve, reject) => {
      this.#asked.set(order.id, { resolve, reject });
    });
    this.#send(order);
    this.#watch();
    return answer;
  }

  #send(order: GrammarOrder): void {
    if (!this.#isGone) this.#port.postMessage(order, []);
  }

  /** While somebody waits, the other thread has to say something now and then. */
  #watch(): void {
    if (this.#isGone || this.#pings !== undefined) return;
    if (this.#hasStarted) this.#arm(SILENCE_MS);
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  #ping(): void {
    const isWaitedFor =
      this.#asked.size > 0 || [...this.#matchers.values()].some(({ waits }) => waits);
    if (isWaitedFor) {
      this.#send({ type: 'ping' });
      return;
    }
    clearInterval(this.#pings);
    this.#pings = undefined;
    if (this.#hasStarted) this.#disarm();
  }

  #arm(ms: number): void {
    this.#disarm();
    this.#disarm = alarm(ms, () => this.dispose());
  }

  #hear(reply: GrammarReply): void {
    if (this.#isGone) return;
    this.#hasStarted = true;
    if (this.#pings === undefined) this.#disarm();
    else this.#arm(SILENCE_MS);
    switch (reply.type) {
      case 'checked':
        this.#answered(reply.id)?.resolve(undefined);
        break;
      case 'failed':
        this.#failed(reply.id, TempoError.fromJSON(reply.error));
        break;
      case 'mask':
        this.#came(reply);
        break;
    }
  }

  #came({ id, mask, words, forget, terminated }: MaskReply): void {
    if (words !== undefined) this.#masks.set(mask, words);
    if (forget !== undefined) this.#masks.delete(forget);
    const known = this.#masks.get(mask);
    if (known === undefined) {
      this.#failed(id, new TempoError('engine_failed', LOST_MASK));
      return;
    }
    const came = { words: known, terminated };
    const asker = this.#answered(id);
    if (asker !== undefined) asker.resolve(came);
    else this.#matchers.get(id)?.came(came);
  }

  #failed(id: number, error: TempoError): void {
    const asker = this.#answered(id);
    if (asker !== undefined) asker.reject(error);
    else this.#matchers.get(id)?.came(error);
  }

  /** Who asked it, and now has an answer. */
  #answered(id: number): Asker | undefined {
    const asker = this.#asked.get(id);
    this.#asked.delete(id);
    return asker;
  }

  #close(id: number): void {
    if (this.#matchers.delete(id)) this.#send({ type: 'close', id });
  }
}

const LOST_MASK = 'A mask was named that was never sent.';
