import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CreateWebWorkerMLCEngine,
  ServiceWorkerMLCEngineHandler,
  WebWorkerMLCEngine,
  WebWorkerMLCEngineHandler,
} from '../../src/webllm-api';
import { serve, TempoServer } from '../../src/worker/server';
import { CHAT, thrown, user } from './setup';

const hello = { messages: [user('Hello')], max_tokens: 3, ignore_eos: true };
const tempo = { engine: 'simulated' as const };

function channel(): { page: MessagePort; other: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  return { page: port1, other: port2 };
}

function served(): MessagePort {
  const { page, other } = channel();
  serve(new TempoServer(), other);
  return page;
}

/** What a page sends and gets of its own, beside Tempo. */
class Greeter extends WebWorkerMLCEngineHandler {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.onmessage = (event) => this.onmessage(event);
  }

  override postMessage(message: unknown): void {
    this.#port.postMessage(message);
  }

  override onmessage(event: MessageEvent): void {
    const { kind, uuid, content } = event.data;
    if (kind !== 'customRequest') super.onmessage(event);
    else
      void this.handleTask(uuid, async () => {
        if (content.requestName !== 'greet') throw new Error('What?');
        return `Hello, ${content.requestMessage}`;
      });
  }
}

class Asking extends WebWorkerMLCEngine {
  ask(requestName: string, requestMessage: string): Promise<string> {
    const content = { requestName, requestMessage };
    return this.getPromise({ kind: 'customRequest', uuid: crypto.randomUUID(), content });
  }
}

// What a handler serves with workers of its own is tested in a browser (test/apps/webllm).
describe('an engine at the end of a port', () => {
  it('serves', async () => {
    const engine = await CreateWebWorkerMLCEngine(served(), CHAT, { tempo });
    const replies = await Promise.all([engine.chatCompletion(hello), engine.chatCompletion(hello)]);
    expect(replies.map(({ model }) => model)).toEqual([CHAT, CHAT]);
  });

  it('can load again after unload: the port is its caller’s', async () => {
    const engine = await CreateWebWorkerMLCEngine(served(), CHAT, { tempo });
    await engine.unload();
    expect(await thrown(engine.chatCompletion(hello))).toMatchObject({
      name: 'WorkerEngineModelNotLoadedError',
      code: 'not_loaded',
    });
    await engine.reload(CHAT);
    expect((await engine.chatCompletion(hello)).choices[0].finish_reason).toBe('length');
  });

  it('needs a port, or a worker', async () => {
    for (const worker of [undefined, null, {}, 'worker.js']) {
      const made = CreateWebWorkerMLCEngine(worker as unknown as Worker, CHAT, { tempo });
      expect(await thrown(made)).toMatchObject({ code: 'invalid_request', param: 'worker' });
    }
  });

  it('takes logit processors for what they are: the worker’s affair', async () => {
    const processor = {
      processLogits: (x: Float32Array) => x,
      processSampledToken() {},
      resetState() {},
    };
    const logitProcessorRegistry = new Map([[CHAT, processor]]);
    new WebWorkerMLCEngine(served(), { tempo, logitProcessorRegistry, logLevel: 'SILENT' });
    new WebWorkerMLCEngine(served(), { tempo, logLevel: 'WARN' });
  });
});

describe('a handler', () => {
  it('answers requests of the page’s own', async () => {
    const { page, other } = channel();
    new Greeter(other);
    page.start();
    const engine = new Asking(page, { tempo });
    expect(await engine.ask('greet', 'page')).toBe('Hello, page');
    await expect(engine.ask('bow', '')).rejects.toBe('Error: What?');
  });

  it('refuses logit processors', () => {
    const { other } = channel();
    const processor = {
      processLogits: (x: Float32Array) => x,
      processSampledToken() {},
      resetState() {},
    };
    const register = () =>
      new Greeter(other).setLogitProcessorRegistry(new Map([[CHAT, processor]]));
    expect(register).toThrow(/logit_bias/);
  });

  it('for a service worker is made in one', () => {
    expect(() => new ServiceWorkerMLCEngineHandler()).toThrow(
      expect.objectContaining({ name: 'NonWorkerEnvironmentError' }),
    );
  });
});
