/** After WebLLM's get-started-web-worker and service-worker. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, equal, matches, ok } from './check';
import { MODEL, onTempo, says } from './examples/on-tempo';

const startWorker = () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const messages = [{ role: 'user' as const, content: 'Hello' }];

export const workers: Checks = {
  'a worker of the page’s': async () => {
    const worker = startWorker();
    const reports: number[] = [];
    const engine = await webllm.CreateWebWorkerMLCEngine(worker, MODEL, {
      ...onTempo,
      initProgressCallback: ({ progress }) => reports.push(progress),
    });
    equal(reports.at(-1), 1);
    const chunks = await engine.chat.completions.create({
      messages,
      stream: true,
      ...says('Hello from the worker.'),
    });
    let text = '';
    for await (const { choices } of chunks) text += choices[0]?.delta.content ?? '';
    equal(text, 'Hello from the worker.');
    await engine.unload();
    await engine.reload(MODEL);
    matches(await engine.chatCompletion({ messages, ...says('Again.') }), { model: MODEL });
    worker.terminate();
  },

  'an engine that all pages share': async () => {
    const first = await webllm.CreateServiceWorkerMLCEngine(MODEL, onTempo);
    const start = performance.now();
    const second = await webllm.CreateServiceWorkerMLCEngine(MODEL, onTempo);
    const loadedIn = performance.now() - start;
    const replies = await Promise.all(
      [first, second].map((engine) => engine.chatCompletion({ messages, ...says('Shared.') })),
    );
    equal(
      replies.map(({ choices }) => choices[0].message.content),
      ['Shared.', 'Shared.'],
    );
    await first.unload();
    const reply = await second.chatCompletion({ messages, ...says('Still here.') });
    equal(reply.choices[0].message.content, 'Still here.');
    ok(loadedIn < 5000, `loaded again in ${loadedIn} ms`);
    await second.unload();
  },
};
