import type {
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import type { ChatCompletionChunk, ChatFinishReason, ChoiceLogprobs, Usage } from '../client';
import { finishReasonOf, metadataOf, responseOf, usageOf } from './answer';

type Part = LanguageModelV4StreamPart;
type Choice = ChatCompletionChunk['choices'][number];
type CallDelta = NonNullable<Choice['delta']['tool_calls']>[number];

/** A streaming answer's chunks as the AI SDK's parts. */
export class StreamParts {
  readonly #answerTool: string | undefined;
  /** The text or reasoning under way. */
  #block: { kind: 'text' | 'reasoning'; id: string } | undefined;
  #blocks = 0;
  /** The tool call under way. */
  #call: { index: number; id: string; name: string; input: string } | undefined;
  /** Calls that are the answer itself. */
  readonly #answers = new Set<number>();
  #started = false;
  #reasoned = false;
  #callsTools = false;
  #simulated = false;
  #finishReason: ChatFinishReason | undefined;
  #usage: Usage | undefined;
  readonly #logprobs: ChoiceLogprobs['content'] = [];

  constructor(answerTool: string | undefined) {
    this.#answerTool = answerTool;
  }

  *take(chunk: ChatCompletionChunk): Generator<Part> {
    if (!this.#started) {
      this.#started = true;
      this.#simulated = chunk.simulated;
      yield { type: 'response-metadata', ...responseOf(chunk) };
    }
    this.#usage = chunk.usage ?? this.#usage;
    for (const choice of chunk.choices) yield* this.#takeChoice(choice);
  }

  /** The answer is complete. */
  *finish(): Generator<Part> {
    yield* this.#endBlock();
    yield* this.#endCall();
    const usage = this.#usage;
    yield {
      type: 'finish',
      finishReason: finishReasonOf(this.#finishReason ?? 'abort', this.#callsTools),
      usage: usage === undefined ? UNKNOWN : usageOf(usage, this.#reasoned),
      ...(usage !== undefined && {
        providerMetadata: metadataOf(usage, this.#simulated, this.#logprobs),
      }),
    };
  }

  /** The answer ends here, badly. A tool call under way is none: it must not be run. */
  *fail(error: unknown): Generator<Part> {
    yield* this.#endBlock();
    yield { type: 'error', error };
    yield { type: 'finish', finishReason: FAILED, usage: UNKNOWN };
  }

  *#takeChoice({ delta, logprobs, finish_reason: finishReason }: Choice): Generator<Part> {
    this.#logprobs.push(...(logprobs?.content ?? []));
    this.#finishReason = finishReason ?? this.#finishReason;
    if (delta.reasoning_content) {
      this.#reasoned = true;
      yield* this.#say('reasoning', delta.reasoning_content);
    }
    if (delta.content) yield* this.#say('text', delta.content);
    for (const call of delta.tool_calls ?? []) yield* this.#takeCall(call);
  }

  *#say(kind: 'text' | 'reasoning', delta: string): Generator<Part> {
    yield* this.#endCall();
    if (this.#block?.kind !== kind) {
      yield* this.#endBlock();
      this.#block = { kind, id: `${kind}-${this.#blocks++}` };
      yield { type: `${kind}-start`, id: this.#block.id };
    }
    yield { type: `${kind}-delta`, id: this.#block.id, delta };
  }

  *#endBlock(): Generator<Part> {
    if (this.#block === undefined) return;
    const { kind, id } = this.#block;
    this.#block = undefined;
    yield { type: `${kind}-end`, id };
  }

  *#takeCall({ index, id, function: called }: CallDelta): Generator<Part> {
    const input = called?.arguments ?? '';
    if (called?.name !== undefined && called.name === this.#answerTool) this.#answers.add(index);
    if (this.#answers.has(index)) {
      if (input !== '') yield* this.#say('text', input);
      return;
    }
    if (this.#call?.index !== index) {
      yield* this.#endCall();
      yield* this.#endBlock();
      this.#call = { index, id: id ?? `call-${index}`, name: called?.name ?? '', input: '' };
      this.#callsTools = true;
      yield { type: 'tool-input-start', id: this.#call.id, toolName: this.#call.name };
    }
    if (input === '') return;
    this.#call.input += input;
    yield { type: 'tool-input-delta', id: this.#call.id, delta: input };
  }

  *#endCall(): Generator<Part> {
    if (this.#call === undefined) return;
    const { id, name, input } = this.#call;
    this.#call = undefined;
    yield { type: 'tool-input-end', id };
    yield { type: 'tool-call', toolCallId: id, toolName: name, input };
  }
}

const FAILED: LanguageModelV4FinishReason = { unified: 'error', raw: undefined };

const UNKNOWN: LanguageModelV4Usage = {
  inputTokens: {
    total: undefined,
    noCache: undefined,
    cacheRead: undefined,
    cacheWrite: undefined,
  },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};
