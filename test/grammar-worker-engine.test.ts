/** The WebLLM engine with its grammars on a thread of their own, on the stand-in. */
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { Pace } from '../src/engine/sampling/pace';
import { serveGrammars } from '../src/engine/sampling/remote/grammar-host';
import type { StepEngine } from '../src/engine/step-engine';
import { STAND_IN_MODEL, StandIn } from '../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../src/engine/webllm';
import type { StartGrammars } from '../src/engine/webllm/lazy-grammars';
import type { GrammarSpec } from '../src/scheduler';
import { type GrammarThread, portOf, startThread } from './schemas/grammar-thread';

const engines: StepEngine[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const engine of engines.splice(0)) await engine.dispose();
});

async function loaded(startGrammars?: StartGrammars): Promise<StepEngine> {
  const world = new StandIn();
  const engine = await loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: world.webllm,
    gpu: world.gpu,
    maxSequences: 8,
    kvBudgetBytes: 1 << 18,
    selfTest: 'never',
    startGrammars,
  });
  engines.push(engine);
  return engine;
}

async function withThread(): Promise<{ engine: StepEngine; thread: GrammarThread }> {
  const thread = await startThread();
  return { engine: await loaded(() => thread.port), thread };
}

const RECORD: GrammarSpec = {
  type: 'json_schema',
  schema: JSON.stringify({
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 12 },
      mail: { type: 'string', format: 'email' },
      tags: { type: 'array', items: { enum: ['a', 'b/c'] }, maxItems: 3 },
    },
    required: ['name', 'mail', 'tags'],
    additionalProperties: false,
  }),
};
const GRAMMARS: (GrammarSpec | undefined)[] = [
  undefined,
  RECORD,
  { type: 'ebnf', grammar: 'root ::= [a-z]+' },
  { type: 'json' },
];

/** What sequences draw in `steps` steps, as the loop takes them: who cannot be drawn is left out. */
async function drawn(
  engine: StepEngine,
  tokens: number,
  onStep: (step: number) => unknown = () => {},
): Promise<number[][]> {
  const texts: number[][] = GRAMMARS.map(() => []);
  GRAMMARS.forEach((grammar, i) => {
    const sampling = { temperature: 1, topP: 1, seed: i, ignoreEos: true, grammar };
    engine.add({ id: `${i}`, tokens: [65 + i, 66], promptTokens: 2, sampling });
  });
  for (let step = 0; texts.some(({ length }) => length < tokens); step++) {
    onStep(step);
    await engine.untilSettled?.();
    const waits: Promise<void>[] = [];
    const work = texts.flatMap(({ length }, i) => {
      const wait = engine.untilDrawable?.(`${i}`);
      if (wait !== undefined) waits.push(wait);
      const pending = length === 0 ? 2 : 1;
      return wait !== undefined || length === tokens
        ? []
        : [{ sequenceId: `${i}`, tokens: pending }];
    });
    if (work.length === 0) {
      await Promise.race(waits);
      continue;
    }
    const { sampled, failed } = await engine.step({ work });
    expect(failed ?? new Map()).toEqual(new Map());
    for (const [id, { token }] of sampled) texts[Number(id)].push(token);
  }
  for (const i of GRAMMARS.keys()) engine.remove(`${i}`);
  return texts;
}

it('an engine draws the same with its grammars on another thread, and where that dies', async () => {
  const expected = await drawn(await loaded(), 40);
  const { engine, thread } = await withThread();
  expect(await drawn(engine, 40)).toEqual(expected);
  const dying = await drawn(engine, 40, (step) => {
    if (step === 15) void thread.worker.terminate();
  });
  expect(dying).toEqual(expected);
  expect(await drawn(engine, 40)).toEqual(expected);
});

it('while hard schemas compile on another thread, the engine’s does nothing for them', async () => {
  const { engine } = await withThread();
  await engine.checkGrammar?.(RECORD);
  const slices = vi.spyOn(Pace.prototype, 'rest');
  const looks = vi.spyOn(Pace.prototype, 'due', 'get');
  let left = 20;
  const checks = Array.from({ length: left }, async (_, i) => {
    const schema = JSON.stringify({ pattern: `^(a|b){300}(c|d){${300 + i}}$` });
    await engine.checkGrammar?.({ type: 'json_schema', schema });
    left--;
  });
  // Steps go on: with answers that are held to grammars, too.
  let steps = 0;
  while (left > 0) await drawn(engine, 10, () => steps++);
  await Promise.all(checks);
  expect(steps).toBeGreaterThan(20);
  expect(slices).not.toHaveBeenCalled();
  expect(looks).not.toHaveBeenCalled();
});

it('waits a moment for masks that are under way, rather than leaving sequences out of a step', async () => {
  const { port1, port2 } = new MessageChannel();
  const engine = await loaded(() => portOf(port1));
  serveGrammars(portOf(port2));
  const [, grammar] = GRAMMARS;
  const sampling = { temperature: 1, topP: 1, seed: 1, grammar };
  engine.add({ id: 'held', tokens: [65, 66], promptTokens: 2, sampling });
  await engine.untilDrawable?.('held');
  // No time passes, so that it cannot be late.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  for (let step = 0; step < 20; step++) {
    await engine.step({ work: [{ sequenceId: 'held', tokens: step === 0 ? 2 : 1 }] });
    expect(engine.untilSettled?.()).toBeInstanceOf(Promise);
    await engine.untilSettled?.();
    expect(engine.untilDrawable?.('held')).toBeUndefined();
  }
  port1.close();
});

it('lets go of a sequence’s matcher on the other thread, too', async () => {
  const { engine, thread } = await withThread();
  const post = vi.spyOn(thread.port, 'postMessage');
  for (let i = 0; i < 3; i++) await drawn(engine, 8);
  const orders = post.mock.calls.map(([order]) => Object(order).type);
  const count = (type: string) => orders.filter((one) => one === type).length;
  expect(count('open')).toBeGreaterThan(0);
  expect(count('close')).toBe(count('open'));
});
