import { WebLLMError } from './errors';
import type { LoadPlan } from './load-plan';

/** The models that an engine has, and which of them a call means. */
export class Loaded {
  readonly #ids: readonly string[];
  readonly #chat: string | undefined;

  constructor({ ids, chat }: LoadPlan) {
    this.#ids = ids;
    this.#chat = chat;
  }

  /** The chat model. Throws by WebLLM's names where another is named, or none and there are several. */
  chat(requestName: string, model: string | null | undefined): string {
    const id = this.#named(requestName, model);
    if (id === this.#chat) return id;
    throw new WebLLMError(
      'IncorrectPipelineLoadedError',
      'unsupported',
      `${requestName} needs a chat model; ${id} is an embedding model.`,
      { param: 'model' },
    );
  }

  /** It is the chat model. */
  chatsWith(model: string): boolean {
    return model === this.#chat;
  }

  /** An embedding model, by the same rules. */
  embedding(requestName: string, model: string | null | undefined): string {
    const id = this.#named(requestName, model);
    if (id !== this.#chat) return id;
    throw new WebLLMError(
      'EmbeddingUnsupportedModelError',
      'unsupported',
      `${requestName} needs an embedding model (model_type of its record); ${id} is a chat model.`,
      { param: 'model' },
    );
  }

  #named(requestName: string, model: string | null | undefined): string {
    const list = this.#ids.join(', ');
    if (model !== undefined && model !== null) {
      if (this.#ids.includes(model)) return model;
      throw new WebLLMError(
        'SpecifiedModelNotFoundError',
        'unknown_model',
        `${model}, which ${requestName} names, is not loaded. Loaded: ${list}.`,
        { param: 'model' },
      );
    }
    if (this.#ids.length === 1) return this.#ids[0];
    throw new WebLLMError(
      'UnclearModelToUseError',
      'invalid_request',
      `Several models are loaded: say in model which ${requestName} means. Loaded: ${list}.`,
      { param: 'model' },
    );
  }
}
