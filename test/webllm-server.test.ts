import { afterEach, describe, expect, it, vi } from 'vitest';
import { MachineMatcher } from '../src/engine/sampling/grammar/matcher';
import { STAND_IN_MODEL, StandIn, type StandInOptions } from '../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../src/engine/webllm';
import { TempoServer } from '../src/server';
import type { ChatCompletionParams } from '../src/server/chat-types';
import type { RequestEvent } from '../src/server/server-types';

/** The whole server on the WebLLM engine, with a stand-in for WebLLM itself. */
class Service {
  readonly world: StandIn;
  readonly server: TempoServer;
  /** Hears of every step's forward pass. */
  onForward: () => void = () => {};
  readonly #texts = new Map<string, string[]>();
  readonly #ends = new Map<string, (outcome: string) => void>();
  #ids = 0;

  constructor(options: StandInOptions = {}) {
    this.world = new StandIn(options);
    this.server = new TempoServer({
      engines: {
        webllm: {
          check: async () => {},
          load: (config, loading) =>
            loadWebLlmEngine({
              ...loading,
              model: config.model,
              webllm: this.world.webllm,
              gpu: this.world.gpu,
              maxSequences: 8,
              kvBudgetBytes: 64 * 4096,
            }),
        },
      },
    });
    void this.server.listen((events) => {
      for (const event of events) this.#hear(event);
    });
  }

  async loaded(): Promise<this> {
    const outcome = await this.server.load({
      engine: 'webllm',
      model: STAND_IN_MODEL,
      policy: 'tempo',
    });
    if (!outcome.ok) throw new Error(outcome.error.message);
    return this;
  }

  /** A request's texts, one a choice; throws what it failed with. */
  async ask(content: string, params: Partial<ChatCompletionParams> = {}): Promise<string[]> {
    const id = `r${this.#ids++}`;
    this.#texts.set(id, new Array<string>(params.n ?? 1).fill(''));
    const end = new Promise<string>((resolve) => this.#ends.set(id, resolve));
    const receipt = await this.server.submit({
      id,
      app: 'chat',
      slo: { class: 'best-effort' },
      params: {
        messages: [{ role: 'user', content }],
        temperature: 0.8,
        seed: content.length,
        max_tokens: 24,
        ignore_eos: true,
        ...params,
      },
    });
    if (!receipt.ok) throw new Error(receipt.error.message);
    const outcome = await end;
    if (outcome !== 'done') throw new Error(outcome);
    return this.#texts.get(id) ?? [];
  }

  #hear(event: RequestEvent): void {
    if (event.type === 'delta') {
      const texts = this.#texts.get(event.id) ?? [];
      texts[event.choice] += event.delta.content ?? '';
      this.onForward();
    } else if (event.type === 'done') {
      this.#ends.get(event.id)?.('done');
    } else if (event.type === 'error') {
      this.#ends.get(event.id)?.(event.error.message);
    }
  }
}

const services: Service[] = [];
afterEach(async () => {
  for (const { server } of services.splice(0)) await server.dispose();
});

async function serve(options?: StandInOptions): Promise<Service> {
  const service = new Service(options);
  services.push(service);
  return service.loaded();
}

const QUESTIONS = ['One?', 'And two, please?', 'Three of them?', 'What of four?', 'Five!', 'Six…'];

async function alone(): Promise<string[][]> {
  const service = await serve();
  const texts: string[][] = [];
  for (const question of QUESTIONS) texts.push(await service.ask(question));
  return texts;
}

describe('The server on the WebLLM engine', () => {
  it('gives each of many requests at once the text that it gets alone', async () => {
    const expected = await alone();
    expect(new Set(expected.flat()).size).toBe(QUESTIONS.length);
    for (const options of [{}, { metadata: { max_batch_size: 1 } }, { wrong: { chunks: true } }]) {
      const service = await serve(options);
      const texts = await Promise.all(QUESTIONS.map((question) => service.ask(question)));
      expect(texts).toEqual(expected);
    }
  });

  it('goes on with every text after the GPU was lost, without repeating or losing any', async () => {
    const expected = await alone();
    const service = await serve();
    let heard = 0;
    service.onForward = () => {
      if (++heard === 30) service.world.loseDevice();
      if (heard === 60) service.world.failNextForward();
    };
    const texts = await Promise.all(QUESTIONS.map((question) => service.ask(question)));
    expect(texts).toEqual(expected);
    expect(heard).toBeGreaterThan(60);
  });

  it('keeps an answer to its schema, beside others, and across a loss', async () => {
    const service = await serve();
    const schema = {
      type: 'object',
      properties: { tempo: { enum: ['allegro', 'adagio', 'presto'] }, loud: { type: 'boolean' } },
      required: ['tempo', 'loud'],
      additionalProperties: false,
    };
    let heard = 0;
    service.onForward = () => {
      if (++heard === 12) service.world.loseDevice();
    };
    const [[json]] = await Promise.all([
      service.ask('As JSON.', {
        max_tokens: 200,
        ignore_eos: false,
        response_format: { type: 'json_schema', json_schema: { name: 'tempo', schema } },
      }),
      ...QUESTIONS.map((question) => service.ask(question)),
    ]);
    expect(Object.keys(JSON.parse(json))).toEqual(['tempo', 'loud']);
  });

  it('ends alone the request whose grammar’s matcher fails in the middle of a step', async () => {
    const expected = await alone();
    const service = await serve();
    const { nextBitmask } = MachineMatcher.prototype;
    let masks = 0;
    const broken = vi.spyOn(MachineMatcher.prototype, 'nextBitmask').mockImplementation(function (
      this: MachineMatcher,
    ) {
      if (++masks === 6) throw new WebAssembly.RuntimeError('unreachable');
      return nextBitmask.call(this);
    });
    const held = { type: 'grammar', grammar: 'root ::= [a-z]+' } as const;
    const [first, failed, ...others] = await Promise.allSettled([
      service.ask(QUESTIONS[0]),
      service.ask('Held to a grammar.', { response_format: held }),
      ...QUESTIONS.slice(1).map((question) => service.ask(question)),
    ]);
    broken.mockRestore();
    expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'unreachable' } });
    const texts = [first, ...others].map((one) => (one.status === 'fulfilled' ? one.value : one));
    expect(texts).toEqual(expected);
    // The engine is the same one, and whole.
    expect(masks).toBe(6);
    expect(await service.ask(QUESTIONS[2])).toEqual(expected[2]);
    expect(service.world.corruptions).toEqual([]);
  });

  it('computes the prompt of several choices once, and gives each its own text', async () => {
    const service = await serve();
    const long = 'Tell me of tempo. '.repeat(8);
    const before = service.world.embedded.flat().length;
    const texts = await service.ask(long, { n: 3, max_tokens: 6 });
    expect(new Set(texts).size).toBe(3);
    // Once, and the template around it.
    expect(service.world.embedded.flat().length - before).toBeLessThan(1.5 * long.length + 100);
  });

  it('leaves no object of the runtime behind', async () => {
    const service = await serve();
    await Promise.all(QUESTIONS.map((question) => service.ask(question)));
    await service.server.dispose();
    expect(service.world.objects).toBe(0);
    expect(service.world.corruptions).toEqual([]);
  });
});
