import { TempoError } from '../../../scheduler';
import type { GrammarMatcher } from '../grammar/matcher';
import { Grammars } from '../grammars';
import { setSliceMs } from '../pace';
import type { GrammarOrder, GrammarPort, GrammarReply } from './messages';
import { SentMasks } from './sent-masks';

/** How long a compile may hold up the masks of answers under way, ms. */
const SLICE_MS = 0.5;

/** Compiles grammars and makes masks for whoever holds the other end of `port`, on this thread. */
export function serveGrammars(port: GrammarPort): void {
  setSliceMs(SLICE_MS);
  const host = new GrammarHost(port);
  port.addEventListener('message', (event) => {
    if ('data' in event) host.hear(event.data as GrammarOrder);
  });
  port.start?.();
  host.say({ type: 'ready' });
}

class GrammarHost {
  readonly #port: GrammarPort;
  readonly #tokens: string[] = [];
  readonly #grammars: Promise<Grammars>;
  #read: (grammars: Promise<Grammars>) => void = () => {};
  #masks = new SentMasks(false);
  readonly #checks = new Map<number, AbortController>();
  readonly #matchers = new Map<number, GrammarMatcher>();

  constructor(port: GrammarPort) {
    this.#port = port;
    this.#grammars = new Promise((resolve) => {
      this.#read = resolve;
    });
    this.#grammars.catch(() => {}); // whoever asks is told
  }

  say(reply: GrammarReply): void {
    const words = reply.type === 'mask' ? reply.words : undefined;
    const buffer = words?.buffer;
    this.#port.postMessage(reply, buffer instanceof ArrayBuffer ? [buffer] : []);
  }

  hear(order: GrammarOrder): void {
    switch (order.type) {
      case 'tokens':
        for (const token of order.tokens) this.#tokens.push(token);
        break;
      case 'vocabulary': {
        const { encoding, vocabSize, stopTokens, shared } = order;
        this.#masks = new SentMasks(shared && globalThis.crossOriginIsolated !== false);
        const tokens = this.#tokens.splice(0);
        this.#read(Grammars.create({ tokens, encoding, vocabSize, stopTokens }));
        break;
      }
      case 'check':
        void this.#check(order);
        break;
      case 'cancel':
        this.#checks.get(order.id)?.abort();
        break;
      case 'open':
        void this.#open(order);
        break;
      case 'accept':
        this.#accept(order);
        break;
      case 'close':
        this.#matchers.delete(order.id);
        break;
      case 'ping':
        this.say({ type: 'pong' });
        break;
    }
  }

  async #check({ id, spec }: GrammarOrder & { type: 'check' }): Promise<void> {
    const controller = new AbortController();
    this.#checks.set(id, controller);
    try {
      await (await this.#grammars).check(spec, controller.signal);
      this.say({ type: 'checked', id });
    } catch (thrown) {
      this.#failed(id, thrown);
    } finally {
      this.#checks.delete(id);
    }
  }

  async #open({ id, spec, generated }: GrammarOrder & { type: 'open' }): Promise<void> {
    try {
      const matcher = await (await this.#grammars).matcher(spec, generated);
      this.#matchers.set(id, matcher);
      await this.#sendMask(id, matcher);
    } catch (thrown) {
      this.#failed(id, thrown);
    }
  }

  #accept({ id, token }: GrammarOrder & { type: 'accept' }): void {
    const matcher = this.#matchers.get(id);
    if (matcher === undefined) return; // it was never made, which its opener knows
    try {
      if (!matcher.accept(token)) {
        throw new TempoError('engine_failed', `Token ${token} was drawn; its grammar forbids it.`);
      }
      const late = this.#sendMask(id, matcher);
      late?.catch((thrown) => this.#failed(id, thrown));
    } catch (thrown) {
      this.#failed(id, thrown);
    }
  }

  /** Undefined where it was there at once. */
  #sendMask(id: number, matcher: GrammarMatcher): Promise<void> | undefined {
    const late = matcher.prepare(performance.now() + SLICE_MS);
    const send = () => {
      if (this.#matchers.get(id) !== matcher) return;
      const { terminated } = matcher;
      this.say({ type: 'mask', id, ...this.#masks.send(matcher.nextBitmask()), terminated });
    };
    if (late !== undefined) return late.then(send);
    send();
    return undefined;
  }

  #failed(id: number, thrown: unknown): void {
    this.say({ type: 'failed', id, error: TempoError.from(thrown).toJSON() });
  }
}
