/** A page with a Tempo on a real server, in virtual time, and what a client of its `fetch` does. */
import { createTempo, type Tempo } from '../../src/client';
import { Harness, type HarnessOptions } from '../../src/server/testing/harness';

export interface Page {
  tempo: Tempo;
  harness: Harness;
}

export function openPage(options?: HarnessOptions): Page {
  const harness = new Harness(options);
  return { harness, tempo: createTempo({ engine: 'simulated', host: harness.server }) };
}

/** Lets the engine begin no step until `release` is called: whoever comes now stays. */
export async function hold({ tempo, harness }: Page): Promise<() => void> {
  await tempo.ready;
  let release = () => {};
  harness.device.hangsUntil = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}

/** Resolves once so many requests are live. */
export async function live({ harness }: Page, count: number): Promise<void> {
  while ((await harness.snapshot()).requests.length !== count) await tick();
}

export const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

type Fetch = Tempo['fetch'];

/** Posts JSON, as the clients do. */
export function post(
  fetch: Fetch,
  path: string,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('content-type', 'application/json');
  headers.set('authorization', 'Bearer none');
  return fetch(`https://api.example.com/v1/${path}`, {
    ...init,
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
}

export interface ServerSentEvent {
  event: string | undefined;
  data: string;
}

/** The events of a stream, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerSentEvent> {
  if (response.body === null) throw new Error('There is no body.');
  let held = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    held += text;
    const blocks = held.split('\n\n');
    held = blocks.pop() ?? '';
    for (const block of blocks) {
      yield {
        event: /^event: (.*)$/m.exec(block)?.[1],
        data: /^data: (.*)$/m.exec(block)?.[1] ?? '',
      };
    }
  }
  if (held !== '') throw new Error(`The stream ends in the middle of an event: ${held}`);
}

/** All events' data, but for `[DONE]`. */
// biome-ignore lint/suspicious/noExplicitAny: JSON, as a client without types has it
export async function dataOf(response: Response): Promise<any[]> {
  const data: unknown[] = [];
  for await (const event of eventsOf(response)) {
    if (event.data !== '[DONE]') data.push(JSON.parse(event.data));
  }
  return data;
}
