import { describe, expect, it } from 'vitest';
import { POLICY_NAMES, type Slo } from '../scheduler';
import type { Snapshot } from './server-types';
import { codeOf, Harness } from './testing/harness';

const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

describe('policies', () => {
  it.each(POLICY_NAMES)('%s serves a mixed crowd to the end', async (policy) => {
    const harness = await new Harness().loaded({ policy });
    const asks = [
      harness.ask({ max_tokens: 20 }, { slo: { class: 'latency', ttft: 500, tbt: 50 } }),
      harness.ask({ max_tokens: 20 }, { slo: { class: 'deadline', ttlt: 2000 } }),
      harness.ask({ max_tokens: 20 }),
      harness.ask({ max_tokens: 20, n: 2 }),
    ];
    expect((await Promise.all(asks)).map(codeOf)).toEqual(['done', 'done', 'done', 'done']);
  });

  it.each(POLICY_NAMES)(
    '%s serves what is too late for its objective all the same',
    async (policy) => {
      const harness = await new Harness({ profile: { maxSequences: 3, totalPages: 90 } }).loaded({
        policy,
      });
      const slo = { class: 'latency', ttft: 200, tbt: 30 } as const;
      const messages = [{ role: 'user' as const, content: 'word '.repeat(600) }];
      const asks = [
        harness.ask({ messages, n: 2, seed: -5, max_tokens: 57 }, { slo }),
        harness.ask({ max_tokens: 5 }, { slo }),
      ];
      expect((await Promise.all(asks)).map(codeOf)).toEqual(['done', 'done']);
    },
  );

  it('are switched while requests run, of which none is lost or changed', async () => {
    const calm = await new Harness().loaded();
    const asks = [1, 2, 3, 4, 5].map((seed) => ({ seed, max_tokens: 40 }));
    const alone = await Promise.all(asks.map((params) => calm.ask(params)));
    const harness = await new Harness().loaded();
    const all = Promise.all(asks.map((params) => harness.ask(params)));
    for (const policy of POLICY_NAMES) {
      await tick(1);
      expect((await harness.server.setPolicy(policy)).ok).toBe(true);
    }
    expect((await all).map(({ texts }) => texts)).toEqual(alone.map(({ texts }) => texts));
    expect((await harness.snapshot()).policy).toBe(POLICY_NAMES.at(-1));
  });

  it('are taken by any name under which they are published, and told by their own', async () => {
    const harness = await new Harness().loaded();
    expect((await harness.server.setPolicy('agentix')).ok).toBe(true);
    expect((await harness.snapshot()).policy).toBe('autellix');
    await harness.load({ policy: 'qoserve' });
    expect((await harness.snapshot()).policy).toBe('niyama');
  });

  it('that do not exist are named', async () => {
    const harness = await new Harness().loaded();
    const outcome = await harness.server.setPolicy(JSON.parse('"random"'));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'unknown_policy' } });
  });

  it.each(['at once', 'a while later'])(
    'chosen while an engine loads hold for it: %s',
    async (when) => {
      const harness: Harness = new Harness({ onLoad: () => tick() });
      const loading = harness.load({ policy: 'tempo' });
      if (when !== 'at once') await tick(1);
      await harness.server.setPolicy('sarathi');
      await loading;
      expect((await harness.snapshot()).policy).toBe('sarathi');
      // The next load brings its own.
      await harness.load({ policy: 'edf' });
      expect((await harness.snapshot()).policy).toBe('edf');
    },
  );
});

describe('an app’s objective', () => {
  it('changes for its live requests, but not for those that brought their own', async () => {
    const harness = await new Harness().loaded();
    const objective = { class: 'deadline', ttlt: 5000 } as const;
    const app = harness.submit({ ignore_eos: true }, { id: 'app' });
    const own = harness.submit({ ignore_eos: true, slo: objective }, { id: 'own', slo: objective });
    const other = harness.submit({ ignore_eos: true }, { id: 'other', app: 'agent' });
    await Promise.all([app.receipt, own.receipt, other.receipt]);
    const slo = { class: 'latency', ttft: 100, tbt: 20 } as const;
    expect((await harness.server.setSlo('chat', slo)).ok).toBe(true);
    const { requests } = await harness.snapshot();
    const classes = Object.fromEntries(requests.map((request) => [request.id, request.class]));
    expect(classes).toEqual({ app: 'latency', own: 'deadline', other: 'best-effort' });
    await harness.server.dispose();
  });

  it('that becomes urgent moves the request past work that is not', async () => {
    const order: string[] = [];
    const harness = await new Harness({ profile: { maxSequences: 2, maxBatch: 2 } }).loaded();
    const ask = (app: string) =>
      harness.ask({ ignore_eos: true, max_tokens: 80 }, { app }).then(() => order.push(app));
    const all = [1, 2, 3, 4, 5, 6, 7, 8].map(() => ask('bulk'));
    all.push(ask('chat'));
    while (harness.steps < 20) await tick(1);
    await harness.server.setSlo('chat', { class: 'latency', ttft: 200, tbt: 40 });
    await Promise.all(all);
    expect(order.indexOf('chat')).toBeLessThan(5);
  });

  it('is checked', async () => {
    const harness = await new Harness().loaded();
    const slo = { class: 'latency', ttft: -1, tbt: 20 } as const;
    const outcome = await harness.server.setSlo('chat', slo);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid_slo', param: 'slo.ttft' } });
  });

  it('is checked before anything is loaded, too', async () => {
    const { server } = new Harness();
    const outcome = await server.setSlo('chat', { class: 'latency', ttft: -1, tbt: 20 });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid_slo', param: 'slo.ttft' } });
    expect(await server.setSlo('chat', { class: 'best-effort' })).toMatchObject({ ok: true });
  });
});

describe('a program', () => {
  it('counts its calls, its time and its gain', async () => {
    const harness = await new Harness().loaded();
    await harness.server.startProgram({ id: 'p', app: 'agent', deadline: 60_000 });
    for (let call = 0; call < 3; call++) {
      const answer = await harness.ask({ max_tokens: 8 }, { app: 'agent', program: 'p' });
      expect(codeOf(answer)).toBe('done');
    }
    const report = await harness.server.endProgram('p');
    if (!report.ok) throw new Error(report.error.message);
    expect(report.value).toMatchObject({ id: 'p', met: true, calls: 3 });
    expect(report.value.serviceGain).toBeGreaterThan(0);
    expect(report.value.durationMs).toBeGreaterThan(0);
    const again = await harness.server.endProgram('p');
    expect(again).toMatchObject({ ok: false, error: { code: 'program_ended' } });
    expect(codeOf(await harness.ask({}, { program: 'p' }))).toBe('program_ended');
  });

  it('needs a sane deadline', async () => {
    const harness = await new Harness().loaded();
    const outcome = await harness.server.startProgram({ id: 'p', app: 'agent', deadline: -5 });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid_slo', param: 'deadline' } });
  });
});

describe('the queue', () => {
  it('is bounded: over the bound the caller hears how long to wait', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded({ maxWaiting: 3 });
    const submissions = Array.from({ length: 8 }, () => harness.submit({ max_tokens: 30 }));
    const outcomes = await Promise.all(submissions.map(({ receipt }) => receipt));
    const refused = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    expect(refused.length).toBeGreaterThanOrEqual(4);
    for (const error of refused) {
      expect(error.code).toBe('queue_full');
      expect(error.retryAfterMs).toBeGreaterThan(0);
      expect(error.message).toContain(`Try again in ${error.retryAfterMs} ms.`);
    }
    const ends = await Promise.all(submissions.map(({ answer }) => answer.then(codeOf)));
    expect(ends.filter((code) => code === 'done')).toHaveLength(8 - refused.length);
  });

  it('has room again after the time it named', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded({ maxWaiting: 1 });
    const ask = () => harness.submit({ max_tokens: 40, ignore_eos: true });
    for (let i = 0; i < 20; i++) await harness.ask({ max_tokens: 40, ignore_eos: true });
    const running = ask();
    await running.receipt;
    while (harness.device.sequences.size === 0) await tick(1);
    const waiting = ask();
    await waiting.receipt;
    const refused = await ask().receipt;
    if (refused.ok) throw new Error('it was not refused');
    const roomMs = harness.clock.now() + (refused.error.retryAfterMs ?? 0);
    while (harness.clock.now() < roomMs) await tick(1);
    expect((await ask().receipt).ok).toBe(true);
    await harness.server.dispose();
  });

  it('refuses what is hopeless, where it was asked to, and promises nothing where no wait helps', async () => {
    const harness = await new Harness().loaded({ rejectHopeless: true });
    const slo = { class: 'deadline', ttlt: 1 } as const;
    const hopeless = await harness.submit({ slo, max_tokens: 60 }).receipt;
    if (hopeless.ok) throw new Error('it was not refused');
    expect(hopeless.error).toMatchObject({ code: 'slo_unattainable', param: 'slo' });
    expect(hopeless.error.retryAfterMs).toBeUndefined();
    expect(hopeless.error.message).toMatch(/even with nothing else to do\. Allow more time\.$/);
    const easy = { ...slo, ttlt: 60_000 };
    expect((await harness.submit({ slo: easy, max_tokens: 60 }).receipt).ok).toBe(true);
    await harness.server.dispose();
  });

  it('says how much later to try where what is hopeless now is so for the wait', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded({
      rejectHopeless: true,
      policy: 'fcfs',
    });
    const ask = (slo?: Slo) => harness.submit({ slo, max_tokens: 40, ignore_eos: true });
    for (let i = 0; i < 20; i++) await harness.ask({ max_tokens: 40, ignore_eos: true });
    const running = ask();
    await running.receipt;
    while (harness.device.sequences.size === 0) await tick(1);
    const slo = { class: 'latency', ttft: 100, tbt: 100 } as const;
    const refused = await ask(slo).receipt;
    if (refused.ok) throw new Error('it was not refused');
    expect(refused.error).toMatchObject({ code: 'slo_unattainable', param: 'slo' });
    expect(refused.error.retryAfterMs).toBeGreaterThan(0);
    await running.answer;
    expect((await ask(slo).receipt).ok).toBe(true);
    await harness.server.dispose();
  });

  it('does not refuse what the policy would serve at once, whoever else is running', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded({
      rejectHopeless: true,
    });
    const running = harness.submit({ max_tokens: 200, ignore_eos: true });
    await running.receipt;
    while (harness.device.sequences.size === 0) await tick(1);
    const slo = { class: 'latency', ttft: 300, tbt: 100 } as const;
    const chat = harness.submit({ slo, max_tokens: 5, ignore_eos: true });
    const receipt = await chat.receipt;
    expect(receipt.ok && receipt.value.estimatedWaitMs).toBeLessThan(100);
    const { end } = await chat.answer;
    expect(end).toMatchObject({ type: 'done' });
    await harness.server.dispose();
  });

  it('does not refuse the further choices of a request that it took', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded({ maxWaiting: 1 });
    const { texts, end } = await harness.ask({ n: 5, max_tokens: 4 });
    expect(end.type).toBe('done');
    expect(texts.every((text) => text !== '')).toBe(true);
  });

  it('tells each request its wait, longer for the later, and keeps it up to date', async () => {
    const harness = await new Harness({ profile: { maxSequences: 2 } }).loaded({ policy: 'fcfs' });
    const submissions = Array.from({ length: 8 }, () => harness.submit({ max_tokens: 60 }));
    const receipts = await Promise.all(submissions.map(({ receipt }) => receipt));
    const waits = receipts.map((outcome) => (outcome.ok ? outcome.value.estimatedWaitMs : -1));
    expect(waits[0]).toBeLessThan(30); // a step
    expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
    expect(waits[7]).toBeGreaterThan(waits[2]);
    await Promise.all(submissions.map(({ answer }) => answer));
    const told = harness.events.flatMap((event) =>
      event.type === 'wait' && event.id === submissions[7].id ? [event.estimatedWaitMs] : [],
    );
    expect(told.length).toBeGreaterThan(2);
    expect(told.at(-1)).toBeLessThan(waits[7]);
  });
});

describe('a load', () => {
  it('beside another is refused, and the first goes on', async () => {
    const harness = new Harness({ onLoad: () => tick(20) });
    const first = harness.load();
    const second = await harness.load();
    expect(second).toMatchObject({ ok: false, error: { code: 'load_in_progress' } });
    expect((await first).ok).toBe(true);
    expect(harness.devices).toHaveLength(1);
  });

  it('can be cancelled', async () => {
    const harness: Harness = new Harness({ onLoad: () => tick(20) });
    const loading = harness.load();
    await tick();
    await harness.server.cancelLoad();
    expect(await loading).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(harness.states.at(-1)).toEqual({ phase: 'idle' });
    expect((await harness.load()).ok).toBe(true);
  });

  it('in place of another fails what was open with `disposed`', async () => {
    const harness = await new Harness().loaded();
    const answer = harness.ask({ ignore_eos: true });
    const waiting = harness.ask({ ignore_eos: true });
    await tick();
    expect((await harness.load()).ok).toBe(true);
    expect([codeOf(await answer), codeOf(await waiting)]).toEqual(['disposed', 'disposed']);
    expect(harness.devices[0].disposed).toBe(true);
    expect(codeOf(await harness.ask({ max_tokens: 3 }))).toBe('done');
  });

  it('comes first: a request without it is told so', async () => {
    const harness = new Harness();
    expect(codeOf(await harness.ask({}))).toBe('not_loaded');
    await harness.server.dispose();
    expect(codeOf(await harness.ask({}))).toBe('disposed');
    expect(await harness.load()).toMatchObject({ ok: false, error: { code: 'disposed' } });
  });
});

describe('what listeners get', () => {
  it('comes at most once a frame, however many tokens there are', async () => {
    const harness = await new Harness().loaded();
    const startMs = performance.now();
    await Promise.all(
      Array.from({ length: 8 }, () => harness.ask({ max_tokens: 200, ignore_eos: true })),
    );
    const frames = (performance.now() - startMs) / 16 + 2;
    expect(harness.events.length).toBeGreaterThan(1000);
    expect(harness.batches.length).toBeLessThanOrEqual(frames);
  });

  it('is never more than one batch ahead of a slow page', async () => {
    const harness = await new Harness().loaded();
    let open = 0;
    let most = 0;
    let received = 0;
    await harness.server.listen(async (events) => {
      most = Math.max(most, ++open);
      received += events.length;
      await tick(50);
      open--;
    });
    await harness.ask({ max_tokens: 300 });
    await tick(120);
    expect(most).toBe(1);
    expect(received).toBe(harness.events.length);
  });

  it('includes snapshots: every step once, in order', async () => {
    const harness = await new Harness().loaded();
    const snapshots: Snapshot[] = [];
    const handle = await harness.server.watch((snapshot) => void snapshots.push(snapshot), 16);
    await Promise.all([1, 2, 3].map(() => harness.ask({ max_tokens: 100, ignore_eos: true })));
    await tick(60);
    await harness.server.unwatch(handle);
    const count = snapshots.length;
    const steps = snapshots.flatMap((snapshot) => snapshot.steps);
    expect(steps.map(({ number }) => number)).toEqual(steps.map((_, i) => i + 1));
    expect(steps).toHaveLength(harness.steps);
    expect(steps.every(({ startMs, endMs }) => endMs > startMs)).toBe(true);
    expect(steps[0].work[0].kind).toBe('prefill');
    expect(steps.at(-1)?.work[0].kind).toBe('decode');
    const last = snapshots.at(-1);
    expect(last?.metrics.total).toMatchObject({ submitted: 3, finished: 3 });
    expect(last?.live).toEqual({ resident: 0, waiting: 0 });
    expect(last?.simulated).toBe(true);
    await harness.ask({ max_tokens: 20 });
    expect(snapshots).toHaveLength(count);
  });

  it('tells of every answer in whose step it was completed, and whether it was in time', async () => {
    const harness = await new Harness().loaded();
    const snapshots: Snapshot[] = [];
    await harness.server.watch((snapshot) => void snapshots.push(snapshot), 16);
    const hasty = { class: 'deadline', ttlt: 1 } as const;
    const calm = { class: 'deadline', ttlt: 60_000 } as const;
    const late = harness.submit({ max_tokens: 30 }, { id: 'late', slo: hasty });
    const inTime = harness.submit({ max_tokens: 30 }, { id: 'in-time', slo: calm });
    const stopped = harness.submit({ ignore_eos: true }, { id: 'stopped' });
    await Promise.all([late.answer, inTime.answer]);
    await harness.server.abort(stopped.id);
    await tick(60);
    const steps = snapshots.flatMap((snapshot) => snapshot.steps);
    expect(
      steps.flatMap(({ finished }) => finished).toSorted((a, b) => Number(a.met) - Number(b.met)),
    ).toEqual([
      { requestId: 'late', app: 'chat', class: 'deadline', arrivalMs: 0, met: false },
      { requestId: 'in-time', app: 'chat', class: 'deadline', arrivalMs: 0, met: true },
    ]);
    for (const { finished, work } of steps) {
      const members = work.map(({ requestId }) => requestId);
      for (const { requestId } of finished) expect(members).toContain(requestId);
    }
    const live = snapshots.flatMap(({ requests }) => requests).find(({ id }) => id === 'late');
    expect(live?.slo).toEqual(hasty);
    await harness.server.dispose();
  });

  it('tells why each request is, or is not, in the plan', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded({ policy: 'fcfs' });
    const submissions = [1, 2].map(() => harness.submit({ ignore_eos: true }));
    await Promise.all(submissions.map(({ receipt }) => receipt));
    await tick();
    const { plan, requests, kv } = await harness.snapshot();
    expect(plan.map(({ chosen, reason }) => [chosen, reason])).toEqual([
      [true, 'in-order'],
      [false, expect.stringMatching(/^(batch|sequences)-full$/)],
    ]);
    expect(requests.map(({ state }) => state)).toEqual(['decode', 'waiting']);
    expect(kv.freePages).toBeLessThan(kv.totalPages);
    await harness.server.dispose();
  });
});

describe('what was learnt', () => {
  it('can be kept, and given to another', async () => {
    const harness = await new Harness().loaded();
    await Promise.all(Array.from({ length: 20 }, () => harness.ask({ max_tokens: 5 })));
    const profile = await harness.server.exportProfile();
    const other = await new Harness().loaded();
    expect((await other.server.importProfile(profile)).ok).toBe(true);
    expect(JSON.parse(await other.server.exportProfile()).lengths.lengths['']).not.toEqual([]);
    const stage = { label: 's', fanOut: 1, promptTokens: 1, outputTokens: 1, longestTokens: 1 };
    const graphs = (more: object) =>
      JSON.stringify({
        graphs: {
          version: 1,
          graphs: { a: [{ sloMs: 9000, stages: [{ ...stage, gapMs: 0, ...more }] }] },
        },
      });
    expect((await other.server.importProfile(graphs({ freshTokens: 1 }))).ok).toBe(true);
    const wrong = [graphs({ gapMs: -1 }), graphs({ freshTokens: 'all' })];
    for (const bad of [
      '',
      '[]',
      '{"lengths":{}}',
      '{"graphs":{"version":1,"graphs":{"a":[1]}}}',
    ].concat(wrong)) {
      const outcome = await other.server.importProfile(bad);
      expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
    }
  });
});
