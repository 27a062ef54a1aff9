import type { GrammarSpec, TokenIds } from '../../scheduler';
import type { GrammarMatcher, Grammars, GrammarVocabulary } from '../sampling';
import type { TextParts } from './internals';
import { tokenEncoding } from './loaded-model';

/** By model id, the last used last. What a grammar compiles to depends on the vocabulary alone. */
const kept = new Map<string, LazyGrammars>();
const MOST = 2;

/**
 * A model's grammars. They outlive its engine: when the device is lost, requests still come and are
 * checked, and the reloaded engine need not compile again.
 */
export function grammarsOf(model: string, parts: TextParts): LazyGrammars {
  const before = kept.get(model);
  const same = before?.parts.config.vocab_size === parts.config.vocab_size;
  const grammars = before !== undefined && same ? before : new LazyGrammars(parts);
  grammars.parts = parts;
  kept.delete(model);
  kept.set(model, grammars);
  for (const other of kept.keys()) {
    if (kept.size <= MOST) break;
    kept.delete(other);
  }
  return grammars;
}

/** Grammars for a loaded model: their code is loaded, and the vocabulary read, when first needed. */
export class LazyGrammars {
  /** Where the vocabulary is read from, once: the model's latest load. */
  parts: TextParts;
  #grammars: Promise<Grammars> | undefined;

  constructor(parts: TextParts) {
    this.parts = parts;
  }

  /** Throws invalid_schema where a grammar does not compile. */
  async check(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    await (await this.#load()).check(spec, signal);
  }

  /** A matcher that stands after `generated`. */
  async matcher(spec: GrammarSpec, generated: TokenIds): Promise<GrammarMatcher> {
    return (await this.#load()).matcher(spec, generated);
  }

  #load(): Promise<Grammars> {
    this.#grammars ??= this.#read().catch((error: unknown) => {
      this.#grammars = undefined; // the next one tries again
      throw error;
    });
    return this.#grammars;
  }

  async #read(): Promise<Grammars> {
    const { Grammars } = await import('../sampling/grammars');
    return Grammars.create(this.#vocabulary());
  }

  #vocabulary(): GrammarVocabulary {
    const { tokenizer, config } = this.parts;
    return {
      tokens: Array.from({ length: tokenizer.getVocabSize() }, (_, id) => tokenizer.idToToken(id)),
      encoding: tokenEncoding(config),
      vocabSize: config.vocab_size,
      stopTokens: config.conv_template.stop_token_ids ?? [],
    };
  }
}
