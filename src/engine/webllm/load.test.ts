import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TempoError } from '../../scheduler';
import type { LoadProgress, StepEngine } from '../step-engine';
import {
  MERGE_STATE_KERNEL,
  STAND_IN_MODEL,
  StandIn,
  type StandInOptions,
} from '../testing/stand-in';
import type { ChatOptions } from './app-config';
import { fixCumulativeSum, fixKernel, fixMergeState } from './kernel-fix';
import { loadWebLlmEngine } from './load';
import { ReportReader } from './load-progress';
import type { WebLlmEngine } from './webllm-engine';
import type { WebLlmOptions } from './webllm-options';

const engines: StepEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose();
});

async function load(world: StandIn, options: Partial<WebLlmOptions> = {}): Promise<StepEngine> {
  const engine = await loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: world.webllm,
    gpu: world.gpu,
    kvBudgetBytes: 1 << 16,
    ...options,
  });
  engines.push(engine);
  return engine;
}

const failure = (options: StandInOptions, load_: Partial<WebLlmOptions> = {}) =>
  load(new StandIn(options), load_).then(
    () => expect.unreachable('loads'),
    (error) => error,
  );

describe('Loading a model through WebLLM', () => {
  it('says what is wrong, by code and in a sentence', async () => {
    const cases: [StandInOptions, Partial<WebLlmOptions>, string][] = [
      [{}, { model: 'nothing' }, 'unknown_model'],
      [{ adapter: false }, {}, 'webgpu_unavailable'],
      [{ gpuFeatures: [] }, {}, 'shader_f16_unavailable'],
      [{ loadError: new TypeError('Failed to fetch') }, {}, 'network'],
      [{ loadError: new Error('Device was lost. This can happen …') }, {}, 'out_of_memory'],
      [{ loadError: new DOMException('no room', 'QuotaExceededError') }, {}, 'out_of_memory'],
      [{ loadError: new Error('something else') }, {}, 'engine_failed'],
    ];
    for (const [world, options, code] of cases) {
      const error = await failure(world, options);
      expect(error).toMatchObject({ code });
      expect(error.message).toMatch(/^[A-Z].*[.)]$|something else/s);
    }
  });

  it('looks at the GPU before it downloads anything', async () => {
    const world = new StandIn({ gpuFeatures: [] });
    const reports: LoadProgress[] = [];
    await load(world, { onProgress: (progress) => reports.push(progress) }).catch(() => {});
    expect(reports).toEqual([]);
  });

  it('knows by its name that a model needs 16-bit floats, which the list may not say', async () => {
    const model_list = ['a-q4f16_1-MLC', 'b-q4f32_1-MLC'].map((model_id) => ({
      model: 'https://models.example/',
      model_id,
      model_lib: 'https://models.example/it.wasm',
    }));
    const tried = ({ model_id: model }: { model_id: string }) =>
      failure(
        { gpuFeatures: [], loadError: new Error('made up') },
        { model, appConfig: { model_list } },
      );
    expect(await tried(model_list[0])).toMatchObject({ code: 'shader_f16_unavailable' });
    expect(await tried(model_list[1])).toMatchObject({ code: 'engine_failed' });
  });

  it('stops at once when aborted, and frees what it had', async () => {
    const world = new StandIn({ loadMs: 600 });
    const controller = new AbortController();
    const loading = load(world, { signal: controller.signal });
    const loaded = new Promise((resolve) => setTimeout(resolve, 600, 'loaded'));
    setTimeout(() => controller.abort(), 5);
    const outcome = loading.catch((error: TempoError) => error.code);
    expect(await Promise.race([outcome, loaded])).toBe('aborted');
    await loaded;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.objects).toBe(0);
  });

  it('stops when aborted in the middle of the self-test, too', async () => {
    const world = new StandIn();
    const controller = new AbortController();
    const onProgress = ({ phase }: LoadProgress) => {
      if (phase === 'self-test') controller.abort();
    };
    await expect(load(world, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  it('reports bytes while it downloads, then every phase', async () => {
    const reports: LoadProgress[] = [];
    await load(new StandIn(), { onProgress: (progress) => reports.push(progress) });
    expect(reports).toContainEqual(
      expect.objectContaining({
        phase: 'download',
        loadedBytes: 10 * 2 ** 20,
        totalBytes: 20 * 2 ** 20,
        fromCache: false,
      }),
    );
    const phases = [...new Set(reports.map(({ phase }) => phase))];
    expect(phases).toEqual(['download', 'compile', 'allocate', 'self-test', 'ready']);
    expect(reports.at(-1)?.fraction).toBe(1);
    const fractions = reports.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it("keeps WebLLM's own cache tiny and takes the model's true window for ours", async () => {
    const windowOf = async (options: Partial<WebLlmOptions>, standIn: StandInOptions = {}) =>
      (await load(new StandIn(standIn), options)).capacity.contextWindow;
    expect(await windowOf({})).toBe(1024);
    expect(await windowOf({ contextWindow: 100 })).toBe(100);
    expect(await windowOf({ chatOptions: { context_window_size: 300 } })).toBe(300);
    expect(await windowOf({ chatOptions: { context_window_size: 5000 } })).toBe(1024);
    expect(await windowOf({}, { metadata: { context_window_size: -1 } })).toBe(4096);
  });

  it("takes chat options over the model's own configuration, batched or not", async () => {
    const chatOptions: ChatOptions = {
      temperature: 0.1,
      top_p: 0.5,
      presence_penalty: 1,
      conv_config: { system_message: 'You are terse.' },
      context_window_size: 128,
    };
    for (const options of [{}, { metadata: { max_batch_size: 1 } }]) {
      const { model, capacity, status } = await load(new StandIn(options), { chatOptions });
      expect(status.mode).toBe('metadata' in options ? 'serial' : 'batched');
      expect(model.defaults).toMatchObject({ temperature: 0.1, topP: 0.5, presencePenalty: 1 });
      expect(model.template.system_message).toBe('You are terse.');
      expect(capacity.contextWindow).toBe(128);
    }
  });
});

describe('Time left', () => {
  const reader = () => {
    let nowMs = 0;
    const reports = new ReportReader(() => nowMs);
    return (atMs: number, progress: number, verb: 'fetched' | 'loaded') => {
      nowMs = atMs;
      const text = `Fetching param cache[1/9]: ${Math.round(100 * progress)}MB ${verb}.`;
      // As WebLLM counts: whole seconds, begun ones too.
      return reports.read({ progress, timeElapsed: Math.ceil(atMs / 1000), text }).remainingMs;
    };
  };

  it('is not told before there is something to judge by', () => {
    const read = reader();
    expect(read(10, 0.01, 'loaded')).toBeUndefined();
    expect(read(500, 0.1, 'loaded')).toBeUndefined();
    expect(read(1510, 0.1, 'loaded')).toBe(15_000);
  });

  it('counts only what came while somebody looked, and forgets what came long ago', () => {
    const read = reader();
    expect(read(0, 0.9, 'fetched')).toBeUndefined(); // kept from an earlier try
    expect(read(2000, 0.91, 'fetched')).toBe(18_000);
    const slowing = reader();
    slowing(0, 0, 'fetched');
    slowing(1000, 0.5, 'fetched');
    for (let s = 2; s <= 30; s++) slowing(s * 1000, 0.5 + s / 1000, 'fetched');
    expect(slowing(31_000, 0.531, 'fetched')).toBe(469_000);
  });

  it('begins anew with each phase', () => {
    const read = reader();
    read(0, 0.1, 'fetched');
    expect(read(5000, 1, 'fetched')).toBe(0);
    expect(read(5100, 0.1, 'loaded')).toBeUndefined();
  });
});

describe('The kernel fix', () => {
  it('puts a barrier before the write that races', () => {
    const fixed = fixMergeState(MERGE_STATE_KERNEL);
    expect(fixed).toMatch(/workgroupBarrier\(\);\n {2}S\[.*log2/);
    expect(fixed.match(/workgroupBarrier/g)).toHaveLength(1);
    expect(fixed.replace('  workgroupBarrier();\n', '')).toBe(MERGE_STATE_KERNEL);
    const names = ['merge_state_inplace_kernel', 'tir_attention_merge_state_kernel'];
    const newer = MERGE_STATE_KERNEL.replace(names[0], names[1]);
    expect(fixKernel(newer)).toEqual({ code: fixed.replace(names[0], names[1]), name: names[1] });
  });

  it('leaves alone what it does not know, and what is right already', () => {
    const other = 'fn softmax_kernel() {\n  S[0] = 1;\n}\n';
    expect(fixMergeState(other)).toBe(other);
    const fixed = fixMergeState(MERGE_STATE_KERNEL);
    expect(fixMergeState(fixed)).toBe(fixed);
  });

  it('lets every thread of a cumulative sum read before any writes', () => {
    const step = (from: number, element: string) =>
      `  if (${from}i <= i32(threadIdx.x)) {\n    let v : i32 = 4i;\n    shared_buf[v + 0] = (shared_buf[v + 0] + vec4<f32>(${element}, ${element}, ${element}, ${element}))[0];\n  }\n  workgroupBarrier();\n`;
    const kernel = `fn gpu_2d_continuous_cumsum1_kernel() {\n  workgroupBarrier();\n${step(1, 'shared_buf[4i - 1i]')}${step(2, 'shared_buf[4i - 5i]')}}\n`;
    expect(fixKernel(kernel)).toEqual({
      code: fixCumulativeSum(kernel),
      name: 'gpu_2d_continuous_cumsum1_kernel',
    });
    const lines = fixCumulativeSum(kernel).split('\n').slice(2, 11);
    expect(lines).toEqual([
      '  var earlier_1 : f32;',
      '  if (1i <= i32(threadIdx.x)) { earlier_1 = shared_buf[4i - 1i]; }',
      '  workgroupBarrier();',
      '  if (1i <= i32(threadIdx.x)) {',
      '    let v : i32 = 4i;',
      '    shared_buf[v + 0] = (shared_buf[v + 0] + vec4<f32>(earlier_1, earlier_1, earlier_1, earlier_1))[0];',
      '  }',
      '  workgroupBarrier();',
      '  var earlier_2 : f32;',
    ]);
    expect(fixCumulativeSum(fixCumulativeSum(kernel))).toBe(fixCumulativeSum(kernel));
    const other = kernel.replace('gpu_2d_continuous_cumsum1', 'other');
    expect(fixKernel(other)).toEqual({ code: other });
  });

  it("is applied to what WebLLM compiles, is told in status, and leaves navigator.gpu's own method", async () => {
    const world = new StandIn();
    const { requestAdapter } = world.gpu;
    const engine = await load(world);
    expect(world.shaders).toEqual([fixMergeState(MERGE_STATE_KERNEL)]);
    expect(engine.status.notes.join()).toMatch(/merge_state_inplace_kernel/);
    expect(world.gpu.requestAdapter).toBe(requestAdapter);
  });
});

describe('The self-test', () => {
  type Case = [NonNullable<StandInOptions['wrong']>, Partial<StepEngine['capabilities']>, RegExp[]];
  const CASES: Case[] = [
    [{}, { batchedDecode: true, continuedPrefill: true, mixedSteps: true }, []],
    [
      { chunks: true },
      { batchedDecode: true, continuedPrefill: false },
      [/prompts are computed whole and prefixes are not shared/],
    ],
    [
      { batches: true },
      { batchedDecode: false, mixedSteps: false, continuedPrefill: true },
      [/served one at a time/],
    ],
    [
      { forks: true },
      { batchedDecode: true, continuedPrefill: true },
      [/prefixes are shared by whole pages only/],
    ],
    [
      { pops: true },
      { batchedDecode: true, continuedPrefill: true },
      [/prefixes are kept or given up whole/],
    ],
  ];
  for (const [wrong, capabilities, complaints] of CASES) {
    const what = Object.keys(wrong).join() || 'nothing';
    it(`finds ${what} wrong, switches it off, and says so`, async () => {
      const engine = await load(new StandIn({ wrong }), { maxSequences: 4 });
      expect(engine.capabilities).toMatchObject(capabilities);
      const said = engine.status.notes.filter((note) => note.includes('computes something'));
      expect(said).toEqual(complaints.map((complaint) => expect.stringMatching(complaint)));
      expect(engine.status.mode).toBe(wrong.batches ? 'serial' : 'batched');
      expect(engine.capacity.maxBatch).toBe(wrong.batches ? 1 : 4);
    });
  }

  it('leaves an engine that gives right texts, whatever the GPU computes wrongly', async () => {
    for (const wrong of ['chunks', 'batches', 'forks', 'pops'] as const) {
      const { stepEngineContract } = await import('../testing/contract');
      const checks = stepEngineContract({
        load: () => load(new StandIn({ wrong: { [wrong]: true } }), { maxSequences: 4 }),
        requests: 30,
      });
      for (const { run } of checks) await run();
    }
  });

  it('is left out on a software device, and that is said', async () => {
    const engine = await load(new StandIn(), { selfTest: 'never' });
    expect(engine.status.notes.join()).toMatch(/self-test was left out/);
  });

  it('measures what steps cost', async () => {
    const { costs } = await load(new StandIn());
    for (const cost of Object.values(costs)) expect(cost).toBeGreaterThanOrEqual(0);
  });
});

describe('KV memory', () => {
  it('is what the budget says', async () => {
    // Two layers of one head of 4 values, keys and values, 4 bytes each: 64 bytes a token.
    const engine = await load(new StandIn(), { kvBudgetBytes: 64 * 1600 });
    expect(engine.status.kvBytes).toBe(64 * 1600);
    expect(engine.capacity.totalPages).toBe(101); // the runtime adds one
  });

  it('is halved until the GPU has room for it, which is said', async () => {
    const engine = await load(new StandIn({ gpuBytes: 64 * 900 }), { kvBudgetBytes: 64 * 3200 });
    expect(engine.status.kvBytes).toBe(64 * 800);
    expect(engine.status.notes.join()).toMatch(/no room for a larger KV cache/);
  });

  it('is halved and loaded anew where allocating it took the device down', async () => {
    for (const selfTest of ['always', 'never'] as const) {
      const world = new StandIn({ mostKvTokens: 1000 });
      const engine = await load(world, { kvBudgetBytes: 64 * 3200, selfTest });
      expect(engine.status.kvBytes).toBe(64 * 800);
      expect(engine.status.notes.join()).toMatch(/no room for a larger KV cache/);
      expect(engine.capabilities.batchedDecode).toBe(true);
    }
    const hopeless = await failure({ mostKvTokens: 100 }, { kvBudgetBytes: 64 * 3200 });
    expect(hopeless).toMatchObject({ code: 'out_of_memory' });
  });

  it('fails with a typed error when there is no room at all', async () => {
    expect(await failure({ gpuBytes: 100 })).toMatchObject({ code: 'out_of_memory' });
    expect(await failure({}, { kvBudgetBytes: 1000 })).toMatchObject({ code: 'out_of_memory' });
  });
});

describe('Models and versions that cannot be served in batches', () => {
  const CASES: [string, StandInOptions, RegExp][] = [
    ['a recurrent state', { metadata: { kv_state_kind: 'rnn_state' } }, /not a paged KV cache/],
    ['a sliding window', { metadata: { sliding_window_size: 128 } }, /sliding window/],
    ['a sliding window of its configuration', { slidingWindow: 256 }, /sliding window/],
    ['a batch size of one', { metadata: { max_batch_size: 1 } }, /one sequence at a time/],
    ['no batch_prefill', { lacks: ['batch_prefill'] }, /no function batch_prefill/],
    [
      'an older runtime',
      { lacks: ['vm.builtin.kv_state_fork_sequence'] },
      /kv_state_fork_sequence/,
    ],
  ];
  for (const [what, options, reason] of CASES) {
    it(`are served one at a time, and status says why: ${what}`, async () => {
      const engine = await load(new StandIn(options));
      expect(engine.status.mode).toBe('serial');
      expect(engine.status.notes[0]).toMatch(reason);
      expect(engine.capabilities.batchedDecode).toBe(false);
    });
  }

  it('keep the contract', async () => {
    const { stepEngineContract } = await import('../testing/contract');
    const world = new StandIn({ metadata: { max_batch_size: 1 } });
    for (const { name, run } of stepEngineContract({ load: () => load(world), requests: 60 })) {
      await run().catch((error: Error) => expect.unreachable(`${name}: ${error.message}`));
    }
  });

  it('give the text that batched serving gives', async () => {
    const texts: number[][] = [];
    for (const options of [{}, { metadata: { max_batch_size: 1 } }]) {
      const engine = await load(new StandIn(options));
      const tokens = engine.model.tokenizer.encode('Tell me about tempo.');
      const sampling = { temperature: 1, topP: 0.9, seed: 5, presencePenalty: 0.5 };
      engine.add({ id: 'a', tokens, promptTokens: tokens.length, sampling });
      const text: number[] = [];
      for (let i = 0; i < 12; i++) {
        const work = [{ sequenceId: 'a', tokens: i === 0 ? tokens.length : 1 }];
        text.push((await engine.step({ work })).sampled.get('a')?.token ?? -1);
      }
      texts.push(text);
    }
    expect(texts[1]).toEqual(texts[0]);
  });
});

describe('Losing the GPU', () => {
  const begin = async (world: StandIn) => {
    const engine = await load(world, { maxSequences: 4 });
    for (const id of ['a', 'b']) {
      const sampling = { temperature: 0, topP: 1, seed: 1 };
      engine.add({ id, tokens: [1, 2, 3], promptTokens: 3, sampling });
    }
    const work = ['a', 'b'].map((sequenceId) => ({ sequenceId, tokens: 3 }));
    return { engine, work };
  };

  it('in the middle of a step rejects it, resolves `lost`, and disposes cleanly', async () => {
    const world = new StandIn();
    const { engine, work } = await begin(world);
    const step = engine.step({ work });
    world.loseDevice();
    await expect(step).rejects.toMatchObject({ code: 'engine_lost' });
    expect(await engine.lost).toMatchObject({ code: 'engine_lost' });
    expect(() => engine.add({ id: 'c', tokens: [1], promptTokens: 1, sampling: SAMPLING })).toThrow(
      /lost/,
    );
    engine.remove('a');
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await engine.dispose();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('while idle resolves `lost` too', async () => {
    const world = new StandIn();
    const { engine, work } = await begin(world);
    world.loseDevice('driver reset');
    expect((await engine.lost).message).toMatch(/driver reset/);
    await expect(engine.step({ work })).rejects.toMatchObject({ code: 'engine_lost' });
  });

  it("to an abort inside the runtime is the same, with the runtime's own words", async () => {
    const world = new StandIn();
    const { engine, work } = await begin(world);
    world.failNextForward('Program terminated with exit(1)');
    await expect(engine.step({ work })).rejects.toThrow(/exit\(1\)/);
    expect(await engine.lost).toMatchObject({ code: 'engine_lost' });
  });

  it('leaves the tokenizer: streams that go on are decoded, before and after the reload', async () => {
    const world = new StandIn();
    const { engine } = await begin(world);
    const { tokenizer } = engine.model;
    world.loseDevice();
    await engine.lost;
    expect(tokenizer.decode(tokenizer.encode('still here'))).toBe('still here');
    await engine.dispose();
    expect(tokenizer.decode(tokenizer.encode('still here'))).toBe('still here');
    await load(new StandIn());
    expect(tokenizer.decode(tokenizer.encode('still here'))).toBe('still here');
  });

  it('to a hang does not keep the engine from being disposed of, and the device goes', async () => {
    const world = new StandIn();
    class Hanging extends world.webllm.MLCEngine {
      override unload = () => new Promise<never>(() => {});
    }
    let destroyed = 0;
    const { requestAdapter } = world.gpu;
    world.gpu.requestAdapter = async () => {
      const adapter = await requestAdapter.call(world.gpu);
      const requestDevice = adapter?.requestDevice;
      if (adapter === null || requestDevice === undefined) return null;
      adapter.requestDevice = async (descriptor) => {
        const device = await requestDevice.call(adapter, descriptor);
        return Object.assign(device, { destroy: () => void destroyed++ });
      };
      return adapter;
    };
    const engine = await load(world, { webllm: { ...world.webllm, MLCEngine: Hanging } });
    expect(destroyed).toBe(0);
    await engine.dispose();
    expect(destroyed).toBe(1);
  });

  it('does not happen by disposing', async () => {
    const { engine } = await begin(new StandIn());
    await engine.dispose();
    const outcome = await Promise.race([
      engine.lost,
      new Promise((r) => setTimeout(r, 20, 'kept')),
    ]);
    expect(outcome).toBe('kept');
  });
});

const SAMPLING = { temperature: 0, topP: 1, seed: 1 };

describe('Nothing leaks', () => {
  it('over 500 requests with aborts at random points', async () => {
    const world = new StandIn({ samplesOnGpu: true });
    const engine = await load(world, { maxSequences: 6, keepPrefixes: 4 });
    const run = async (from: number, requests: number) => {
      const pending = new Map<string, number>();
      let next = from;
      while (next < from + requests || pending.size > 0) {
        while (next < from + requests && pending.size < 6) {
          const tokens = Array.from({ length: 3 + (next % 90) }, (_, i) => (i < 70 ? i : next % 7));
          const id = `r${next++}`;
          const sampling = { ...SAMPLING, temperature: next % 2, seed: next };
          const { cachedTokens } = engine.add({
            id,
            tokens,
            promptTokens: tokens.length,
            sampling,
          });
          pending.set(id, tokens.length - cachedTokens);
        }
        const work = [...pending].map(([sequenceId, left]) => ({ sequenceId, tokens: left }));
        await engine.step({ work });
        for (const id of [...pending.keys()]) {
          pending.set(id, 1);
          if ((Number(id.slice(1)) * 7919 + world.forwards) % 5 > 1) continue;
          engine.remove(id);
          pending.delete(id);
        }
        const { counted, available } = (engine as WebLlmEngine).unheldPages;
        expect(available).toBe(counted);
      }
    };
    await run(0, 20);
    const before = { objects: world.objects, free: engine.kv.freePages };
    await run(20, 500);
    expect({ objects: world.objects, free: engine.kv.freePages }).toEqual(before);
    expect(world.scopes).toEqual([]);
    expect(world.corruptions).toEqual([]);
  });
});

describe('Swapping', () => {
  const PROMPT = Array.from({ length: 40 }, (_, i) => i);

  async function textOf(world: StandIn, swapAfter?: number) {
    const engine = await load(world, { keepPrefixes: 0 });
    // On a stand-in nothing is slow: make computing dearer than copying, as on a GPU.
    Object.assign(engine.costs, { perPrefillTokenMs: 1000 });
    const text: number[] = [];
    let left = PROMPT.length - engine.add(spec(text)).cachedTokens;
    for (let i = 0; i < 10; i++) {
      const work = [{ sequenceId: 'a', tokens: left }];
      text.push((await engine.step({ work })).sampled.get('a')?.token ?? -1);
      left = 1;
      if (i !== swapAfter) continue;
      const before = engine.kv.freePages;
      await engine.swapOut?.('a');
      expect(engine.kv.freePages).toBeGreaterThan(before);
      left = PROMPT.length + text.length - engine.add(spec(text)).cachedTokens;
    }
    return { engine, text, left };
  }

  function spec(text: number[]) {
    const tokens = [...PROMPT, ...text];
    return { id: 'a', tokens, promptTokens: PROMPT.length, sampling: SAMPLING };
  }

  it('is off where the runtime has no functions for it (all libraries of v0_2_48)', async () => {
    const engine = await load(new StandIn());
    expect(engine.capabilities.swap).toBe(false);
  });

  it('brings whole pages of a sequence back as they were, with less than a page to compute again', async () => {
    const alone = await textOf(new StandIn());
    const world = new StandIn({ swaps: true });
    const swapped = await textOf(world, 4);
    expect(swapped.engine.capabilities.swap).toBe(true);
    expect(swapped.text).toEqual(alone.text);
    const computed = world.embedded.flat().length;
    await swapped.engine.swapOut?.('a');
    expect(swapped.engine.add(spec(swapped.text)).cachedTokens).toBe(48);
    expect(world.embedded.flat().length).toBe(computed);
    await swapped.engine.dispose();
    expect(world.objects).toBe(0);
    expect(world.corruptions).toEqual([]);
  });

  it('needs no page to do so, where all are in use', async () => {
    const world = new StandIn({ swaps: true });
    const { engine, text } = await textOf(world);
    const length = engine.kv.freePages * engine.capacity.pageSize;
    const tokens = Array.from({ length }, (_, i) => 7 + (i % 50));
    engine.add({ id: 'b', tokens, promptTokens: length, sampling: SAMPLING });
    for (let left = length; left > 0; ) {
      const chunk = Math.min(left, engine.capacity.maxPrefillTokens);
      await engine.step({ work: [{ sequenceId: 'b', tokens: chunk }] });
      left -= chunk;
    }
    expect((engine as WebLlmEngine).unheldPages).toEqual({ counted: 0, available: 0 });
    await engine.swapOut?.('a');
    expect(engine.kv.freePages).toBe(4);
    engine.remove('b');
    expect(engine.add(spec(text)).cachedTokens).toBe(48);
    const again = await engine.step({ work: [{ sequenceId: 'a', tokens: 2 }] });
    expect(again.sampled.get('a')?.token).toBe((await next(text)).token);
    expect(world.corruptions).toEqual([]);
  });

  /** What follows `text`, by an engine that computes all of it. */
  async function next(text: number[]) {
    const engine = await load(new StandIn(), { keepPrefixes: 0 });
    const tokens = PROMPT.length + text.length;
    engine.add(spec(text));
    const { sampled } = await engine.step({ work: [{ sequenceId: 'a', tokens }] });
    return sampled.get('a') ?? { token: -1 };
  }
});
