import type { GrammarSpec, TokenIds } from '../../scheduler';
import { type GrammarMatcher, Grammars, type GrammarVocabulary } from '../sampling';
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
  if (grammars !== before) before?.dispose();
  grammars.parts = parts;
  kept.delete(model);
  kept.set(model, grammars);
  for (const [other, oldest] of kept) {
    if (kept.size <= MOST) break;
    kept.delete(other);
    oldest.dispose();
  }
  return grammars;
}

/** Grammars for a loaded model. The compiler is a megabyte, so it is loaded when first needed. */
export class LazyGrammars {
  /** Where the vocabulary is read from, once: the model's latest load. */
  parts: TextParts;
  #grammars: Promise<Grammars> | undefined;

  constructor(parts: TextParts) {
    this.parts = parts;
  }

  /** Throws invalid_schema where a grammar does not compile. */
  async check(spec: GrammarSpec): Promise<void> {
    await (await this.#load()).check(spec);
  }

  /** A matcher that stands after `generated`. */
  async matcher(spec: GrammarSpec, generated: TokenIds): Promise<GrammarMatcher> {
    return (await this.#load()).matcher(spec, generated);
  }

  dispose(): void {
    void this.#grammars?.then((grammars) => grammars.dispose()).catch(() => {});
  }

  #load(): Promise<Grammars> {
    this.#grammars ??= Grammars.create(this.#vocabulary()).catch((error: unknown) => {
      this.#grammars = undefined; // the next one tries again
      throw error;
    });
    return this.#grammars;
  }

  #vocabulary(): GrammarVocabulary {
    const { tokenizer, config } = this.parts;
    return {
      tokens: Array.from({ length: tokenizer.getVocabSize() }, (_, id) => tokenizer.idToToken(id)),
      encoding: tokenEncoding(config),
      prependSpace: config.tokenizer_info?.prepend_space_in_encode ?? false,
      vocabSize: config.vocab_size,
      stopTokens: config.conv_template.stop_token_ids ?? [],
    };
  }
}
