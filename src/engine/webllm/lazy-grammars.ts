import type { GrammarSpec, TokenIds } from '../../scheduler';
import { type GrammarMatcher, Grammars, type GrammarVocabulary } from '../sampling';
import type { TextParts } from './internals';

/** Grammars for a loaded model. The compiler is a megabyte, so it is loaded when first needed. */
export class LazyGrammars {
  readonly #pipeline: TextParts;
  readonly #vocabSize: number;
  #grammars: Promise<Grammars> | undefined;

  constructor(pipeline: TextParts, vocabSize: number) {
    this.#pipeline = pipeline;
    this.#vocabSize = vocabSize;
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
    this.#grammars ??= Grammars.create(this.#vocabulary());
    return this.#grammars;
  }

  #vocabulary(): GrammarVocabulary {
    const { tokenizer, config } = this.#pipeline;
    const encoding =
      config.tokenizer_info?.token_postproc_method ?? config.token_table_postproc_method;
    return {
      tokens: Array.from({ length: tokenizer.getVocabSize() }, (_, id) => tokenizer.idToToken(id)),
      encoding: encoding === 'byte_level' || encoding === 'byte_fallback' ? encoding : 'raw',
      prependSpace: config.tokenizer_info?.prepend_space_in_encode ?? false,
      vocabSize: this.#vocabSize,
      stopTokens: config.conv_template.stop_token_ids ?? [],
    };
  }
}
