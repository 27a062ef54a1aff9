import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  SharedV4Warning,
} from '@ai-sdk/provider';
import type { ChatCompletionStream } from '../client';
import { contentOf, finishReasonOf, metadataOf, responseOf, usageOf } from './answer';
import { aiError } from './errors';
import { tempoOptions } from './provider-options';
import { relaxed } from './relax';
import { type PreparedRequest, prepareRequest } from './request';
import type { Routes } from './routes';
import { StreamParts } from './stream-parts';

/** The loaded chat model. */
export class TempoLanguageModel implements LanguageModelV4 {
  readonly specificationVersion = 'v4';
  readonly provider = 'tempo.chat';
  /** Images are fetched where they are looked at; the AI SDK fetches all else. */
  readonly supportedUrls = { 'image/*': [/^(https?|blob):/] };
  readonly #routes: Routes;
  readonly #wanted: string | undefined;

  constructor(routes: Routes, wanted: string | undefined) {
    this.#routes = routes;
    this.#wanted = wanted;
  }

  get modelId(): string {
    return this.#wanted ?? this.#routes.loadedModel ?? 'default';
  }

  async doGenerate(options: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { completions, ...request } = this.#prepare(options);
    const signal = options.abortSignal;
    const { answer, params, warnings } = await this.#send(request, (params) =>
      completions.create({ ...params, stream: false }, { signal }),
    );
    const [choice] = answer.choices;
    const content = contentOf(choice, request.answerTool);
    const has = (type: string) => content.some((part) => part.type === type);
    return {
      content,
      finishReason: finishReasonOf(choice.finish_reason, has('tool-call')),
      usage: usageOf(answer.usage, has('reasoning')),
      providerMetadata: metadataOf(answer.usage, answer.simulated, choice.logprobs?.content),
      request: { body: params },
      response: { ...responseOf(answer), body: answer },
      warnings,
    };
  }

  async doStream(options: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    const { completions, ...request } = this.#prepare(options);
    const signal = options.abortSignal;
    const streaming = { stream: true as const, stream_options: { include_usage: true } };
    const { answer, params, warnings } = await this.#send(request, (params) =>
      completions.create({ ...params, ...streaming }, { signal }),
    );
    const body = { ...params, ...streaming };
    const parts = partsOf(answer, {
      warnings,
      answerTool: request.answerTool,
      raw: options.includeRawChunks,
      error: (thrown) => this.#error(thrown, body),
    });
    const stream = new ReadableStream<LanguageModelV4StreamPart>({
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => answer.abort(),
    });
    return { stream, request: { body } };
  }

  #prepare(options: LanguageModelV4CallOptions) {
    const tempo = tempoOptions(options.providerOptions);
    const request = prepareRequest(this.#wanted, options, tempo);
    return { ...request, completions: this.#routes.completions(tempo) };
  }

  /** Sends a request, without the constraints of schemas that the server refuses. */
  async #send<T>(
    { params, warnings }: PreparedRequest,
    send: (params: PreparedRequest['params']) => Promise<T>,
  ): Promise<{ answer: T; params: PreparedRequest['params']; warnings: SharedV4Warning[] }> {
    try {
      return { answer: await send(params), params, warnings };
    } catch (thrown) {
      const less = relaxed(params, thrown);
      if (less === undefined) throw this.#error(thrown, params);
      return this.#send({ params: less.params, warnings: [...warnings, less.warning] }, send);
    }
  }

  #error(thrown: unknown, body: object): unknown {
    return aiError(thrown, {
      path: 'chat/completions',
      modelType: 'languageModel',
      modelId: this.modelId,
      body,
      phase: this.#routes.phase,
    });
  }
}

interface PartsOptions extends Pick<PreparedRequest, 'warnings' | 'answerTool'> {
  /** Each chunk is a part, too. */
  raw: boolean | undefined;
  error: (thrown: unknown) => unknown;
}

/** A stream's parts. What its caller's signal ends throws; other failures are parts, as in the AI SDK. */
async function* partsOf(
  answer: ChatCompletionStream,
  { warnings, answerTool, raw, error }: PartsOptions,
): AsyncGenerator<LanguageModelV4StreamPart, undefined> {
  const parts = new StreamParts(answerTool);
  yield { type: 'stream-start', warnings };
  try {
    for await (const chunk of answer) {
      if (raw) yield { type: 'raw', rawValue: chunk };
      yield* parts.take(chunk);
    }
  } catch (thrown) {
    const failure = error(thrown);
    if (failure === thrown) throw failure;
    yield* parts.fail(failure);
    return;
  }
  yield* parts.finish();
}
