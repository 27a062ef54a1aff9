/** The whole server on each kind of engine, with what can go wrong with it. */
import { DEVICE_PROFILES, loadSimulatedEngine, SimulatedClock } from '../../src/engine/simulated';
import type { StepEngine } from '../../src/engine/step-engine';
import { STAND_IN_MODEL, StandIn } from '../../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../../src/engine/webllm';
import { POLICY_NAMES, type SampledToken, type StepResult } from '../../src/scheduler';
import { TempoServer } from '../../src/server';
import type { LoadConfig } from '../../src/server/server-types';
import { FragileEngine } from '../../src/server/testing/harness';
import { Session } from '../../src/worker/session';
import type { Random } from './attacks';

export interface World {
  readonly server: TempoServer;
  readonly config: LoadConfig;
  /** By name. Each does its harm and returns. */
  readonly faults: Readonly<Record<string, (random: Random) => unknown>>;
  /** What engine and server still hold, once nothing is open and nobody listens: a sequence has its matcher. */
  held(): Record<string, number>;
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)];

/** Counts who listens to a server and watches it. */
function listeners(server: TempoServer): () => number {
  const heard = new Set<unknown>();
  const { listen, unlisten, listenState, watch, unwatch } = TempoServer.prototype;
  server.listen = (listener, ...rest) => {
    heard.add(listener);
    return listen.call(server, listener, ...rest);
  };
  server.listenState = (listener) => {
    heard.add(listener);
    return listenState.call(server, listener);
  };
  server.unlisten = (listener) => {
    heard.delete(listener);
    return unlisten.call(server, listener);
  };
  server.watch = async (...args) => {
    const handle = await watch.apply(server, args);
    heard.add(handle);
    return handle;
  };
  server.unwatch = (handle) => {
    heard.delete(handle);
    return unwatch.call(server, handle);
  };
  return () => heard.size;
}

/** A page that asks, listens and watches, and is gone in the middle of it. */
async function killedPage(server: TempoServer, random: Random): Promise<void> {
  const page = new Session(server);
  await page.listen(() => {});
  await page.listenState(() => {});
  await page.watch(() => {}, 16);
  const params = { messages: [{ role: 'user' as const, content: 'Hello' }], max_tokens: 40 };
  for (let i = 0; i < 3; i++) {
    void page.submit({
      id: `killed ${random()}`,
      app: 'page',
      slo: { class: 'best-effort' },
      params,
    });
  }
  await new Promise((resolve) => setTimeout(resolve, random() * 20));
  await page.dispose();
}

/** What may happen to any server. */
function common(server: TempoServer, config: LoadConfig): World['faults'] {
  return {
    'another load': () => server.load(config),
    'two loads at once': () => [server.load(config), server.load(config)],
    'a load that is cancelled': () => {
      void server.load(config);
      setTimeout(() => void server.cancelLoad(), 2);
    },
    'an unload, then a load': async () => {
      await server.unload();
      await server.load(config);
    },
    'another policy': (random) => server.setPolicy(pick(random, POLICY_NAMES)),
    'a policy that is none': () => server.setPolicy({ toString: 1 } as never),
    'a torn profile': (random) => server.importProfile(pick(random, ['[', '{"lengths":5}', '7'])),
    'an objective that is none': () => server.setSlo('innocent', { class: 'latency' } as never),
    'a page that is killed': (random) => killedPage(server, random),
    'programs that nobody ends': (random) =>
      server.startProgram({ id: `p${random()}`, app: `a${random()}`, deadline: 5000 }),
  };
}

/** A change to an engine's next results. */
type Change = (result: StepResult) => StepResult;

const first = (result: StepResult, sample: unknown): StepResult => {
  const [id] = result.sampled.keys();
  if (id === undefined) return result;
  return { ...result, sampled: new Map(result.sampled).set(id, sample as SampledToken) };
};

const CHANGES: Record<string, Change> = {
  'no token drawn': (result) => ({ ...result, sampled: new Map() }),
  'a token beyond the vocabulary': (result) => first(result, { token: 2 ** 31 }),
  'a token that is no number': (result) => first(result, { token: Number.NaN }),
  'a sample that is nothing': (result) => first(result, null),
  'a failure that is a word': (result) => {
    const [id] = result.sampled.keys();
    return { ...result, failed: new Map(id === undefined ? [] : [[id, 'boom' as never]]) };
  },
  'a time that is no number': (result) => ({ ...result, durationMs: Number.NaN }),
};

export function simulatedWorld(): World {
  const clock = new SimulatedClock();
  let device: FragileEngine | undefined;
  let throws = false;
  const server = new TempoServer({
    clock,
    engines: {
      simulated: {
        check: async () => {},
        async load(_, options) {
          const profile = { ...DEVICE_PROFILES['laptop-gpu'], maxSequences: 6, totalPages: 200 };
          const engine = await loadSimulatedEngine({ profile, clock, ...options });
          device = new FragileEngine(engine, () => {
            if (!throws) return;
            throws = false;
            throw new TypeError('a kernel went mad');
          });
          return device;
        },
      },
    },
  });
  const heard = listeners(server);
  const config = { engine: 'simulated', model: 'laptop-gpu', policy: 'tempo' } as const;
  const changes = Object.entries(CHANGES).map(([name, change]) => [
    name,
    () => {
      if (device === undefined) return;
      const step = device.step.bind(device);
      let changed = false;
      device.step = async (plan) => {
        const result = await step(plan);
        if (changed) return result;
        changed = true;
        return change(result);
      };
    },
  ]);
  return {
    server,
    config,
    held: () => ({
      sequences: device?.sequences.size ?? 0,
      pages: device?.usedPages ?? 0,
      listeners: heard(),
    }),
    faults: {
      ...common(server, config),
      ...Object.fromEntries(changes),
      'a lost device': () => device?.lose(),
      'a step that throws': () => {
        throws = true;
      },
      'a step that hangs until the device is lost': () => {
        const hung = device;
        if (hung === undefined) return;
        hung.hangsUntil = new Promise((resolve) =>
          setTimeout(() => {
            hung.lose();
            resolve();
          }, 60),
        );
      },
      'more found computed than there is': () => {
        const strange = device;
        if (strange === undefined) return;
        const add = strange.add.bind(strange);
        strange.add = (spec) => {
          strange.add = add;
          add(spec);
          return { cachedTokens: 1e6 };
        };
      },
      'a sequence that is not let go of': () => {
        const strange = device;
        if (strange === undefined) return;
        const remove = strange.remove.bind(strange);
        strange.remove = (id) => {
          strange.remove = remove;
          remove(id);
          throw new RangeError('no slot');
        };
      },
      'a jump of the clock': (random) => clock.advance(random() * 600_000),
    },
  };
}

export function standInWorld(): World {
  let world = new StandIn();
  let engine: StepEngine | undefined;
  const server = new TempoServer({
    engines: {
      webllm: {
        check: async () => {},
        load: async (config, options) => {
          world = new StandIn();
          engine = await loadWebLlmEngine({
            ...options,
            model: config.model,
            webllm: world.webllm,
            gpu: world.gpu,
            maxSequences: 6,
            kvBudgetBytes: 64 * 4096,
          });
          return engine;
        },
      },
    },
  });
  const heard = listeners(server);
  const config = { engine: 'webllm', model: STAND_IN_MODEL, policy: 'tempo' } as const;
  return {
    server,
    config,
    held: () => ({
      corruptions: world.corruptions.length,
      pages: engine === undefined ? 0 : engine.capacity.totalPages - engine.kv.freePages,
      listeners: heard(),
    }),
    faults: {
      ...common(server, config),
      'a lost device': () => world.loseDevice(),
      'a runtime that breaks down': () => world.failNextForward(),
      'logits that are no numbers': () => world.ruinNextRow(),
    },
  };
}
