import type { CompiledGrammar, GrammarCompiler, TokenizerInfo } from '@mlc-ai/web-xgrammar';
import { type GrammarSpec, TempoError, type TokenIds } from '../../scheduler';
import { completeGrammar, exactSchema } from './exact-schema';
import { type GrammarMatcher, XGrammarMatcher } from './grammar-matcher';
import { checkJsonSchema, checkStructuralTag } from './json-schema';
import { type LoadedXGrammar, loadXGrammar } from './xgrammar';

/** A tokenizer's vocabulary as grammars need it. */
export interface GrammarVocabulary {
  /** Token texts by id, as the tokenizer's file writes them (WebLLM's `idToToken`). */
  tokens: readonly string[];
  /** `tokenizer_info.token_postproc_method` of mlc-chat-config.json. */
  encoding: 'raw' | 'byte_fallback' | 'byte_level';
  /** `tokenizer_info.prepend_space_in_encode`. */
  prependSpace: boolean;
  /** Length of a row of logits; may exceed the tokens. */
  vocabSize: number;
  /** Tokens that end an answer: the template's `stop_token_ids`. */
  stopTokens: readonly number[];
}

/** Compiled grammars kept for requests to come. */
const CACHED_GRAMMARS = 32;

/** Compiles grammars for one model's vocabulary, once each, and makes matchers of them. */
export class Grammars {
  readonly #loaded: LoadedXGrammar;
  readonly #tokenizer: TokenizerInfo;
  readonly #compiler: GrammarCompiler;
  readonly #vocabulary: GrammarVocabulary;
  /** Least recently used first. */
  readonly #cache = new Map<string, Promise<CompiledGrammar>>();

  private constructor(
    loaded: LoadedXGrammar,
    tokenizer: TokenizerInfo,
    compiler: GrammarCompiler,
    vocabulary: GrammarVocabulary,
  ) {
    this.#loaded = loaded;
    this.#tokenizer = tokenizer;
    this.#compiler = compiler;
    this.#vocabulary = vocabulary;
  }

  /** Loads xgrammar on first use (1 MB) and reads the vocabulary. */
  static async create(vocabulary: GrammarVocabulary): Promise<Grammars> {
    const loaded = await loadXGrammar();
    const { GrammarCompiler, TokenizerInfo } = loaded.library;
    const tokenizer = await TokenizerInfo.createTokenizerInfo(
      [...vocabulary.tokens],
      vocabulary.encoding,
      vocabulary.prependSpace,
      vocabulary.vocabSize,
      [...vocabulary.stopTokens],
    );
    // This class is the cache; xgrammar's would keep a failed compilation as one that never ends.
    const compiler = await GrammarCompiler.createGrammarCompiler(tokenizer, false);
    return new Grammars(loaded, tokenizer, compiler, vocabulary);
  }

  /** Makes sure that a grammar compiles. Throws invalid_schema, saying what is wrong with it. */
  async check(spec: GrammarSpec): Promise<void> {
    await this.#compile(spec);
  }

  /**
   * A matcher that stands after `generated`: what the answer holds already when its sequence was
   * dropped and comes back. Throws invalid_schema where the grammar does not compile, engine_failed
   * where `generated` does not follow it.
   */
  async matcher(spec: GrammarSpec, generated: TokenIds = []): Promise<GrammarMatcher> {
    const compiled = await this.#compile(spec);
    const { library, recover } = this.#loaded;
    const handle = await library.GrammarMatcher.createGrammarMatcher(compiled).catch((thrown) => {
      const cause = recover(thrown);
      const sentence = `The grammar's matcher cannot be made: ${cause.message}`;
      throw new TempoError('engine_failed', sentence, { cause });
    });
    const matcher = new XGrammarMatcher(handle, this.#vocabulary, recover);
    for (let i = 0; i < generated.length; i++) {
      if (matcher.accept(generated[i])) continue;
      await matcher.nextBitmask(); // where the grammar leads nowhere, this is how it shows
      if (!matcher.accept(generated[i])) {
        matcher.dispose();
        throw new TempoError(
          'engine_failed',
          `Token ${i} of the answer so far (${generated[i]}) does not follow its grammar.`,
        );
      }
    }
    return matcher;
  }

  dispose(): void {
    for (const compiled of this.#cache.values()) {
      compiled.then(
        (grammar) => grammar.dispose(),
        () => {},
      );
    }
    this.#cache.clear();
    this.#compiler.dispose();
    this.#tokenizer.dispose();
  }

  #compile(spec: GrammarSpec): Promise<CompiledGrammar> {
    const key = JSON.stringify(spec);
    const cached = this.#cache.get(key);
    this.#cache.delete(key);
    const compiled = cached ?? this.#compileAnew(spec);
    this.#cache.set(key, compiled);
    if (this.#cache.size > CACHED_GRAMMARS) this.#evict();
    return compiled;
  }

  #evict(): void {
    const [[key, compiled]] = this.#cache;
    this.#cache.delete(key);
    compiled.then(
      // Whoever waits for it makes a matcher first; that shares ownership of what it needs.
      (grammar) => setTimeout(() => grammar.dispose()),
      () => {},
    );
  }

  async #compileAnew(spec: GrammarSpec): Promise<CompiledGrammar> {
    if (spec.type === 'json_schema') checkJsonSchema(parseJson(spec.schema), 'schema');
    if (spec.type === 'structural_tag') checkStructuralTag(parseJson(spec.tag));
    try {
      return await this.#loaded.attempt(() => this.#callCompiler(spec));
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new TempoError('invalid_schema', `The grammar does not compile: ${words}`, { cause });
    }
  }

  async #callCompiler(spec: GrammarSpec): Promise<CompiledGrammar> {
    switch (spec.type) {
      case 'json':
        return this.#compiler.compileBuiltinJSONGrammar();
      case 'json_schema': {
        const { schema, rules } = exactSchema(parseJson(spec.schema));
        if (rules.size === 0) return this.#compiler.compileJSONSchema(JSON.stringify(schema));
        return this.#compileEbnf(await this.#ebnfOf(schema, rules));
      }
      case 'structural_tag': {
        const tag = await this.#withExactSchemas(parseJson(spec.tag));
        return this.#compiler.compileStructuralTag(JSON.stringify(tag));
      }
      case 'ebnf':
        return this.#compileEbnf(spec.grammar);
    }
  }

  async #compileEbnf(ebnf: string): Promise<CompiledGrammar> {
    const grammar = await this.#loaded.library.Grammar.fromEBNF(ebnf);
    const compiled = await this.#compiler.compileGrammar(grammar);
    grammar.dispose();
    return compiled;
  }

  async #ebnfOf(schema: unknown, rules: ReadonlyMap<string, string>): Promise<string> {
    const ebnf = await this.#loaded.library.Testings._jsonSchemaToEBNF(JSON.stringify(schema));
    return completeGrammar(ebnf, rules);
  }

  /** A structural tag whose schemas became grammars where they need rules of ours. */
  async #withExactSchemas(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((one) => this.#withExactSchemas(one)));
    if (typeof value !== 'object' || value === null) return value;
    if ('type' in value && value.type === 'json_schema' && 'json_schema' in value) {
      const { schema, rules } = exactSchema(value.json_schema);
      if (rules.size === 0) return { ...value, json_schema: schema };
      return { type: 'grammar', grammar: await this.#ebnfOf(schema, rules) };
    }
    const entries = Object.entries(value).map(
      async ([key, inner]) => [key, await this.#withExactSchemas(inner)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TempoError('invalid_schema', 'The schema is not valid JSON.', { cause });
  }
}
