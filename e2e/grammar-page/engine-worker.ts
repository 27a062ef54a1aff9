/** A server on the WebLLM engine with a stand-in for WebLLM. By its name: `in-place` has no grammar worker. */
import type { Endpoint } from 'comlink';
import { startGrammarWorker } from '../../src/engine/sampling/remote/start';
import { STAND_IN_MODEL, StandIn } from '../../src/engine/testing/stand-in';
import { TempoServer } from '../../src/server';
import { serve } from '../../src/worker/serve';

declare const self: Endpoint & { name: string };

const world = new StandIn();
const started: Worker[] = [];
const startGrammars = () => {
  const worker = startGrammarWorker();
  if (worker !== undefined) started.push(worker);
  return worker;
};

// The test ends the grammar worker, and learns whether there is one.
const orders = new BroadcastChannel('grammar-page');
orders.onmessage = ({ data }) => {
  if (data !== 'kill') return;
  for (const worker of started) {
    // As one ends by itself: with an error.
    worker.dispatchEvent(new ErrorEvent('error', { message: 'killed', cancelable: true }));
    worker.terminate();
  }
  orders.postMessage(started.length);
};

const server = new TempoServer({
  engines: {
    webllm: {
      check: async () => {},
      load: async (_, options) => {
        const { loadWebLlmEngine } = await import('../../src/engine/webllm');
        return loadWebLlmEngine({
          ...options,
          model: STAND_IN_MODEL,
          webllm: world.webllm,
          // There WebLLM downloads by itself, and the stand-in has nothing to download.
          appConfig: { ...world.webllm.prebuiltAppConfig, cacheBackend: 'indexeddb' },
          gpu: world.gpu,
          maxSequences: 8,
          kvBudgetBytes: 64 * 4096,
          startGrammars: self.name === 'in-place' ? undefined : startGrammars,
        });
      },
    },
  },
});
serve(server, self);
