import type { ChatCompletionParams, SimulatedReply, Tempo } from '../../src/client';
import { createTempo } from '../../src/client';
import { createLanguageModel, type LanguageModelClass } from '../../src/prompt-api';
import { Harness, type HarnessOptions } from '../../src/server/testing/harness';

export type Reply = (request: ChatCompletionParams, round: number) => SimulatedReply | undefined;

export interface Start {
  LanguageModel: LanguageModelClass;
  tempo: Tempo;
  harness: Harness;
  /** Every request that was sent, as it was sent. */
  requests: ChatCompletionParams[];
}

/** A `LanguageModel` on a real server, in virtual time; `reply` says what the model answers. */
export function start(reply: Reply = () => ({ content: 'Yes.' }), options?: HarnessOptions): Start {
  const harness = new Harness(options);
  const tempo = createTempo({ engine: 'simulated', host: harness.server });
  const requests: ChatCompletionParams[] = [];
  const LanguageModel = createLanguageModel(tempo, {
    simulate: (request) => {
      requests.push(structuredClone(request));
      return reply(request, requests.length - 1);
    },
  });
  return { LanguageModel, tempo, harness, requests };
}

/** The last words of a request. */
export function lastWords({ messages }: ChatCompletionParams): string {
  return String(messages.at(-1)?.content);
}

export const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

export const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

export async function piecesOf(stream: ReadableStream<string>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

/** An answer that takes a while. */
export const LONG = 'on and on '.repeat(120).trim();
