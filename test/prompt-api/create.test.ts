import { describe, expect, it } from 'vitest';
import { createTempo, type SimulatedReply, type Slo } from '../../src/client';
import {
  type CreateMonitor,
  createLanguageModel,
  type LanguageModelCreateOptions,
} from '../../src/prompt-api';
import { TempoError } from '../../src/scheduler';
import { Harness } from '../../src/server/testing/harness';
import { failure, LONG, start, tick } from './setup';

/** A monitor that notes what it hears. */
function listen(heard: ProgressEvent[]) {
  return (monitor: CreateMonitor) => {
    monitor.addEventListener('downloadprogress', (event) => heard.push(event));
  };
}

/** A harness whose loads wait, and report as they are told. */
function slowLoad() {
  let finish = () => {};
  let fail: (error: Error) => void = () => {};
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const harness = new Harness({
    onLoad: () =>
      new Promise<void>((resolve, reject) => {
        finish = resolve;
        fail = reject;
        begin();
      }),
  });
  // What a load needs may take a while to be there.
  return {
    harness,
    finish: () => void begun.then(() => finish()),
    fail: (error: Error) => void begun.then(() => fail(error)),
  };
}

describe('availability', () => {
  it('follows the Tempo that it is of', async () => {
    const { harness, finish } = slowLoad();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const LanguageModel = createLanguageModel(tempo);
    expect(await LanguageModel.availability()).toBe('downloading');
    await tick();
    finish();
    await tempo.ready;
    expect(await LanguageModel.availability()).toBe('available');
    await tempo.unload();
    expect(await LanguageModel.availability()).toBe('unavailable');
    await tempo.dispose();
  });

  it('of a model that cannot be loaded here is none', async () => {
    const { harness, fail } = slowLoad();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    await tick();
    fail(new TempoError('webgpu_unavailable', 'There is no WebGPU here.'));
    await tempo.ready.catch(() => {});
    expect(await createLanguageModel(tempo).availability()).toBe('unavailable');
    // No WebGPU in Node.
    expect(await createLanguageModel({ model: 'any' }).availability()).toBe('unavailable');
  });

  it('before a first create() is what that would find', async () => {
    const { server } = new Harness();
    expect(await createLanguageModel({ engine: 'simulated', host: server }).availability()).toBe(
      'available',
    );
    const remote = createLanguageModel({ model: 'any', host: server });
    expect(await remote.availability()).toBe('downloadable');
  });

  it.each<[string, LanguageModelCreateOptions, string]>([
    [
      'texts of any language',
      { expectedInputs: [{ type: 'text', languages: ['ja'] }] },
      'available',
    ],
    ['images', { expectedInputs: [{ type: 'image' }] }, 'available'],
    ['sound', { expectedInputs: [{ type: 'audio', languages: ['en'] }] }, 'unavailable'],
    ['images for an answer', { expectedOutputs: [{ type: 'image' }] }, 'unavailable'],
    ['a temperature', { temperature: 1, topK: 3 }, 'available'],
  ])('for %s', async (_, options, availability) => {
    const { LanguageModel, tempo } = start();
    await tempo.ready;
    expect(await LanguageModel.availability(options)).toBe(availability);
    const outcome = await failure(LanguageModel.create(options));
    if (availability === 'available') expect(outcome).toBeUndefined();
    else expect(outcome).toMatchObject({ name: 'NotSupportedError' });
  });
});

describe('create()', () => {
  it('makes a session, which pages cannot make by themselves', async () => {
    const { LanguageModel } = start();
    const { create } = LanguageModel;
    const session = await create();
    expect(session).toBeInstanceOf(LanguageModel);
    expect(session).toBeInstanceOf(EventTarget);
    expect(String(session)).toBe('[object LanguageModel]');
    expect(LanguageModel.name).toBe('LanguageModel');
    expect(() => Reflect.construct(LanguageModel, [])).toThrow(TypeError);
  });

  it('makes the Tempo when it is first asked, and one for all', async () => {
    const harness = new Harness();
    let loads = 0;
    harness.server.listenState(({ phase }) => {
      if (phase === 'ready') loads++;
    });
    const LanguageModel = createLanguageModel({
      engine: 'simulated',
      model: 'laptop-gpu',
      host: harness.server,
    });
    await LanguageModel.availability();
    await LanguageModel.params();
    await tick();
    expect(loads).toBe(0);
    await Promise.all([LanguageModel.create(), LanguageModel.create()]);
    await LanguageModel.create();
    expect(loads).toBe(1);
  });

  it('tells its progress: at least 0 and 1, rising, in steps of 2^-16, and none afterwards', async () => {
    const { harness, finish } = slowLoad();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const LanguageModel = createLanguageModel(tempo);
    const heard: ProgressEvent[] = [];
    const handled: number[] = [];
    const creating = LanguageModel.create({
      monitor(monitor) {
        expect(String(monitor)).toBe('[object CreateMonitor]');
        listen(heard)(monitor);
        monitor.ondownloadprogress = function (event) {
          handled.push(event.loaded);
          expect(this).toBe(monitor);
        };
      },
    });
    expect(heard).toEqual([]);
    await tick(20);
    expect(heard.map(({ loaded }) => loaded)).toEqual([0]);
    finish();
    await creating;
    const count = heard.length;
    await tick(20);
    expect(heard).toHaveLength(count);
    for (const { type, total, lengthComputable } of heard) {
      expect({ type, total, lengthComputable }).toEqual({
        type: 'downloadprogress',
        total: 1,
        lengthComputable: true,
      });
    }
    const fractions = heard.map(({ loaded }) => loaded);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...new Set(fractions)].sort((a, b) => a - b));
    expect(handled).toEqual(fractions);
    await tempo.dispose();
  });

  it('tells how far a load is', async () => {
    const states = [0.1, 0.33333, 0.33333, 0.2, 0.9999999];
    const { loadSimulatedEngine } = await import('../../src/engine/simulated');
    const { TempoServer } = await import('../../src/server');
    const server = new TempoServer({
      engines: {
        simulated: {
          check: async () => {},
          load: async (_, { onProgress, signal }) => {
            for (const fraction of states) {
              await tick(60); // progress is told every 50 ms
              onProgress?.({ phase: 'download', text: 'Loading.', fraction });
            }
            return loadSimulatedEngine({ signal });
          },
        },
      },
    });
    const heard: ProgressEvent[] = [];
    const LanguageModel = createLanguageModel({ engine: 'simulated', host: server });
    await LanguageModel.create({ monitor: listen(heard) });
    const fractions = heard.map(({ loaded }) => loaded);
    expect(fractions).toEqual([0, 6553 / 65536, 21845 / 65536, 65535 / 65536, 1]);
  });

  it('tells 0 and 1 where there is nothing to load', async () => {
    const { LanguageModel, tempo } = start();
    await tempo.ready;
    const heard: ProgressEvent[] = [];
    await LanguageModel.create({ monitor: listen(heard) });
    expect(heard.map(({ loaded }) => loaded)).toEqual([0, 1]);
  });

  it('is ended by what its monitor throws', async () => {
    const { LanguageModel } = start();
    const error = new Error('no bar');
    const monitor = () => {
      throw error;
    };
    expect(await failure(LanguageModel.create({ monitor }))).toBe(error);
  });

  it('is ended by its signal, before, at the beginning, and at the end of the load', async () => {
    const { LanguageModel } = start();
    const reason = new Error('enough');
    expect(await failure(LanguageModel.create({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    for (const at of [0, 1]) {
      const controller = new AbortController();
      const heard: number[] = [];
      const creating = LanguageModel.create({
        signal: controller.signal,
        monitor(monitor) {
          monitor.addEventListener('downloadprogress', ({ loaded }) => {
            heard.push(loaded);
            if (loaded === at) controller.abort(reason);
          });
        },
      });
      expect(await failure(creating)).toBe(reason);
      await tick(20);
      expect(heard.at(-1)).toBe(at);
    }
  });

  it('is ended by its signal while the load goes on', async () => {
    const { harness, finish } = slowLoad();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const LanguageModel = createLanguageModel(tempo);
    const controller = new AbortController();
    const creating = LanguageModel.create({ signal: controller.signal });
    await tick();
    controller.abort();
    expect(await failure(creating)).toMatchObject({ name: 'AbortError' });
    finish();
    expect(await (await LanguageModel.create()).measureContextUsage('x')).toBeGreaterThan(0);
    await tempo.dispose();
  });

  it.each<[TempoError, string]>([
    [new TempoError('network', 'The weights did not come.'), 'NetworkError'],
    [new TempoError('webgpu_unavailable', 'No WebGPU.'), 'NotSupportedError'],
    [new TempoError('out_of_memory', 'Too large.'), 'OperationError'],
  ])('fails as the load does: %s', async (error, name) => {
    const { harness, fail } = slowLoad();
    const LanguageModel = createLanguageModel({
      engine: 'simulated',
      model: 'laptop-gpu',
      host: harness.server,
    });
    const creating = failure(LanguageModel.create());
    await tick(20);
    fail(error);
    const thrown = await creating;
    expect(thrown).toBeInstanceOf(DOMException);
    expect(thrown).toMatchObject({ name, message: error.message, cause: { code: error.code } });
  });

  it('tries again after a load that failed', async () => {
    let loads = 0;
    const { TempoServer } = await import('../../src/server');
    const { loadSimulatedEngine } = await import('../../src/engine/simulated');
    const make = () =>
      new TempoServer({
        engines: {
          simulated: {
            check: async () => {},
            load: async () => {
              if (++loads === 1) throw new TempoError('network', 'The weights did not come.');
              return loadSimulatedEngine();
            },
          },
        },
      });
    const options = {
      engine: 'simulated' as const,
      get host() {
        return make();
      },
    };
    const LanguageModel = createLanguageModel(options);
    expect(await failure(LanguageModel.create())).toMatchObject({ name: 'NetworkError' });
    expect(await LanguageModel.availability()).toBe('available');
    const session = await LanguageModel.create();
    expect(await session.measureContextUsage('x')).toBeGreaterThan(0);
  });

  it('fails where the Tempo is gone', async () => {
    const { LanguageModel, tempo } = start();
    const session = await LanguageModel.create();
    await tempo.dispose();
    for (const call of [LanguageModel.create(), session.prompt('x'), session.append('x')]) {
      expect(await failure(call)).toMatchObject({ name: 'InvalidStateError' });
    }
  });

  it.each<[string, unknown, string]>([
    ['options that are none', 'quick', 'TypeError'],
    ['prompts that are no list', { initialPrompts: 'Be brief.' }, 'TypeError'],
    [
      'a system message that comes late',
      {
        initialPrompts: [
          { role: 'user', content: 'x' },
          { role: 'system', content: 'y' },
        ],
      },
      'TypeError',
    ],
    [
      'an image among the prompts',
      { initialPrompts: [{ role: 'user', content: [{ type: 'image', value: new Blob() }] }] },
      'NotSupportedError',
    ],
    ['a signal that is none', { signal: {} }, 'TypeError'],
    ['a monitor that is none', { monitor: {} }, 'TypeError'],
    ['tools that are no list', { tools: {} }, 'TypeError'],
    ['an unknown type of input', { expectedInputs: [{ type: 'smell' }] }, 'TypeError'],
    [
      'a language that is none',
      { expectedInputs: [{ type: 'text', languages: ['!'] }] },
      'RangeError',
    ],
    ['a freezing temperature', { temperature: -1 }, 'RangeError'],
    ['a temperature that is no number', { temperature: 'hot' }, 'RangeError'],
    ['a topK of nothing', { topK: 0 }, 'RangeError'],
    ['an unknown mode', { samplingMode: 'wild' }, 'TypeError'],
    ['a mode beside a value', { samplingMode: 'creative', topK: 3 }, 'TypeError'],
    ['an slo that is none', { slo: 'fast' }, 'TypeError'],
    ['an slo that cannot be', { slo: { class: 'latency', ttft: -1, tbt: 5 } }, 'TypeError'],
    ['an app without a name', { app: '' }, 'TypeError'],
  ])('refuses %s', async (_, options, name) => {
    const { LanguageModel } = start();
    const creating = LanguageModel.create(options as LanguageModelCreateOptions);
    expect(await failure(creating)).toMatchObject({ name });
  });

  it('takes null for what is not set', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create({
      initialPrompts: null,
      tools: null,
      expectedInputs: null,
      expectedOutputs: null,
      signal: null,
      monitor: null,
      temperature: null,
      topK: null,
      samplingMode: null,
      slo: null,
      app: null,
    });
    expect(await session.prompt('Hello')).toBe('Yes.');
  });
});

describe('sampling', () => {
  const sampled = async (options: LanguageModelCreateOptions) => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create(options);
    await session.prompt('x');
    const { temperature, topK, samplingMode } = session;
    const [request] = requests;
    return { temperature, topK, samplingMode, sent: [request.temperature, request.top_k] };
  };

  it('is the model’s own by default', async () => {
    expect(await sampled({})).toEqual({
      temperature: 0.7,
      topK: 128,
      samplingMode: 'balanced',
      sent: [undefined, undefined],
    });
  });

  it('is what the page says, cut to what there is', async () => {
    expect(await sampled({ temperature: 1.2, topK: 8.9 })).toMatchObject({
      temperature: 1.2,
      topK: 8,
      sent: [1.2, 8],
    });
    expect(await sampled({ temperature: Infinity, topK: Infinity })).toMatchObject({
      temperature: 2,
      topK: 128,
      sent: [2, undefined],
    });
  });

  it('has modes from the most predictable to the most creative', async () => {
    const modes = [
      'most-predictable',
      'predictable',
      'balanced',
      'creative',
      'most-creative',
    ] as const;
    const temperatures: number[] = [];
    for (const samplingMode of modes) {
      const session = await sampled({ samplingMode });
      expect(session.samplingMode).toBe(samplingMode);
      temperatures.push(session.temperature);
    }
    expect(temperatures[0]).toBe(0);
    expect(temperatures).toEqual([...temperatures].sort((a, b) => a - b));
    expect(new Set(temperatures).size).toBe(5);
  });

  it('has its defaults and limits told', async () => {
    const { LanguageModel } = start();
    expect(await LanguageModel.params()).toEqual({
      defaultTopK: 128,
      maxTopK: 128,
      defaultTemperature: 0.7,
      maxTemperature: 2,
    });
    const unloaded = createLanguageModel({ engine: 'simulated', host: new Harness().server });
    expect(await unloaded.params()).toMatchObject({ defaultTemperature: 1 });
  });
});

describe('sessions’ objectives', () => {
  const LATENCY: Slo = { class: 'latency', ttft: 500, tbt: 100 };
  const DEADLINE: Slo = { class: 'deadline', ttlt: 9000 };
  const longAnswer = (): SimulatedReply => ({ content: LONG });

  it('are those that they bring, else those of all, and each is accounted to its app', async () => {
    const harness = new Harness();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const LanguageModel = createLanguageModel(tempo, {
      slo: DEADLINE,
      app: 'helper',
      simulate: longAnswer,
    });
    const sessions = await Promise.all([
      LanguageModel.create(),
      LanguageModel.create({ slo: LATENCY, app: 'chat' }),
    ]);
    const controller = new AbortController();
    const { signal } = controller;
    const open = sessions.map((session) => failure(session.prompt('Go on.', { signal })));
    while (harness.steps < 4) await tick(0);
    const { requests } = await harness.snapshot();
    expect(requests.map(({ app, class: kind }) => `${app} ${kind}`).sort()).toEqual([
      'chat latency',
      'helper deadline',
    ]);
    controller.abort();
    await Promise.all(open);
    await tempo.dispose();
  });

  it('are their app’s where nobody says', async () => {
    const harness = new Harness();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    tempo.app('language-model', { slo: LATENCY });
    const LanguageModel = createLanguageModel(tempo, { simulate: longAnswer });
    const session = await LanguageModel.create();
    const controller = new AbortController();
    const open = failure(session.prompt('Go on.', { signal: controller.signal }));
    while (harness.steps < 4) await tick(0);
    expect((await harness.snapshot()).requests).toMatchObject([
      { app: 'language-model', class: 'latency' },
    ]);
    controller.abort();
    await open;
    await tempo.dispose();
  });

  it('cannot be what is no setting', () => {
    const { tempo } = start();
    const settings = { objective: LATENCY } as object;
    expect(() => createLanguageModel(tempo, settings)).toThrow(/no setting "objective"/);
    expect(() => createLanguageModel(tempo, { app: '' })).toThrow(TypeError);
    expect(() => createLanguageModel(tempo, JSON.parse('{"simulate": 4}'))).toThrow(TypeError);
    expect(() => createLanguageModel(JSON.parse('null'))).toThrow(TypeError);
  });
});
