import type { GrammarSpec, TokenIds } from '../../scheduler';
import type { GrammarMatcher, GrammarSource } from '../sampling';
import { Pace } from '../sampling/pace';
import type { GrammarPort } from '../sampling/remote/messages';
import { type ComingVocabulary, RemoteGrammars } from '../sampling/remote/remote-grammars';
import type { TextParts } from './internals';
import { tokenEncoding } from './loaded-model';

/** Starts a thread for grammars; undefined where there is none to be had. */
export type StartGrammars = () => GrammarPort | undefined;

/** The model that was loaded last, and its grammars: what they compile to depends on the vocabulary alone. */
let kept: { model: string; start: StartGrammars | undefined; grammars: LazyGrammars } | undefined;

/**
 * A model's grammars. They outlive its engine: when the device is lost, requests still come and are
 * checked, and the reloaded engine need not compile again.
 */
export function grammarsOf(model: string, parts: TextParts, start?: StartGrammars): LazyGrammars {
  const before = kept?.model === model && kept.start === start ? kept.grammars : undefined;
  if (before !== undefined && before.parts.config.vocab_size === parts.config.vocab_size) {
    before.parts = parts;
    return before;
  }
  kept?.grammars.dispose();
  const grammars = new LazyGrammars(parts, start);
  kept = { model, start, grammars };
  return grammars;
}

/** Tokens that are read between two looks at the clock. */
const LOOK_EVERY = 64;

/**
 * Grammars for a loaded model: their code is loaded, and the vocabulary read, when first needed. On a
 * thread of their own, where one can be had.
 */
export class LazyGrammars implements GrammarSource {
  /** Where the vocabulary is read from, once: the model's latest load. */
  parts: TextParts;
  readonly #start: StartGrammars | undefined;
  #source: Promise<GrammarSource> | undefined;
  #remote: RemoteGrammars | undefined;

  constructor(parts: TextParts, start?: StartGrammars) {
    this.parts = parts;
    this.#start = start;
  }

  async check(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    await (await this.#load()).check(spec, signal);
  }

  async matcher(spec: GrammarSpec, generated: TokenIds): Promise<GrammarMatcher> {
    return (await this.#load()).matcher(spec, generated);
  }

  /** Ends their thread. Whoever still uses them goes on without. */
  dispose(): void {
    this.#remote?.dispose();
  }

  #load(): Promise<GrammarSource> {
    this.#source ??= this.#begin().catch((error: unknown) => {
      this.#source = undefined; // the next one tries again
      throw error;
    });
    return this.#source;
  }

  async #begin(): Promise<GrammarSource> {
    const port = this.#start?.();
    if (port === undefined) return this.#inPlace();
    const inPlace = () => this.#inPlace();
    this.#remote = new RemoteGrammars({ port, vocabulary: this.#vocabulary(), inPlace });
    return this.#remote;
  }

  async #inPlace(): Promise<GrammarSource> {
    const { Grammars } = await import('../sampling/grammars');
    const vocabulary = this.#vocabulary();
    const tokens: string[] = [];
    for await (const some of vocabulary.tokens()) for (const token of some) tokens.push(token);
    return Grammars.create({ ...vocabulary, tokens });
  }

  #vocabulary(): ComingVocabulary {
    const { config } = this.parts;
    return {
      tokens: () => this.#tokens(),
      encoding: tokenEncoding(config),
      vocabSize: config.vocab_size,
      stopTokens: config.conv_template.stop_token_ids ?? [],
    };
  }

  /** In slices: WebLLM's tokenizer takes a microsecond or two for each. */
  async *#tokens(): AsyncGenerator<string[]> {
    const pace = new Pace(Infinity);
    const count = this.parts.tokenizer.getVocabSize();
    let some: string[] = [];
    for (let id = 0; id < count; id++) {
      some.push(this.parts.tokenizer.idToToken(id));
      if (id % LOOK_EVERY !== 0 || !pace.due) continue;
      yield some;
      some = [];
      await pace.rest();
    }
    yield some;
  }
}
