import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createElement as h, type ReactNode, Suspense } from 'react';
import { renderToPipeableStream, renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { createTempo, TempoError } from '../src/client';
import {
  TempoProvider,
  TempoReady,
  useChat,
  useMetrics,
  useSnapshot,
  useTempo,
  useTempoReady,
  useTempoState,
} from '../src/react';
import { TempoServer } from '../src/server';

const OPTIONS = { engine: 'simulated' } as const;

let complaints: Mock[];
let started: Mock;

beforeEach(() => {
  complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
  started = vi.fn();
  vi.stubGlobal(
    'Worker',
    class {
      constructor() {
        started();
        throw new Error('A server has no workers.');
      }
    },
  );
});

afterEach(async () => {
  // Whatever was to come later has come by now.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(started).not.toHaveBeenCalled();
  for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const own = (...children: ReactNode[]) => h(TempoProvider, { options: OPTIONS }, ...children);

function Page() {
  const tempo = useTempo();
  const { phase } = useTempoState();
  const { messages, status } = useChat({
    initialMessages: [{ role: 'user', content: 'Hello from the server' }],
  });
  const waiting = useSnapshot((snapshot) => snapshot?.live.waiting ?? 'nothing known');
  const finished = useMetrics((metrics) => metrics?.total.finished ?? 'nothing');
  const app = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });
  return h('p', {}, [phase, app.name, messages[0].content, status, waiting, finished].join('; '));
}

function Ready() {
  return h('p', {}, useTempoReady().state.phase);
}

const streamed = (page: ReactNode, onError?: (error: unknown) => void) => {
  const { pipe } = renderToPipeableStream(page, { onError });
  return text(pipe(new PassThrough()));
};

describe('on a server', () => {
  it('everything renders as it is before a Tempo loads, and no worker starts', async () => {
    const html = '<p>idle; chat; Hello from the server; ready; nothing known; nothing</p>';
    expect(renderToString(own(h(Page)))).toBe(html);
    expect(await streamed(own(h(Page)))).toBe(html);
  });

  it('a page that waits for a Tempo shows its fallback, and is not waited for', async () => {
    const page = own(h(TempoReady, { fallback: 'Loading.' }, h(Ready)));
    expect(renderToString(page)).toBe('Loading.');
    expect(await streamed(page)).toBe('Loading.');
  });

  it('what suspends sends the fallback of its boundary, with a reason for the log', async () => {
    const errors: unknown[] = [];
    const page = own(h(Suspense, { fallback: 'Loading.' }, h(Ready)));
    expect(await streamed(page, (error) => void errors.push(error))).toContain('Loading.');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'unsupported' });
  });

  it('a Tempo that the page brings is left alone', async () => {
    const tempo = createTempo({ ...OPTIONS, host: new TempoServer() });
    await tempo.ready;
    expect(renderToString(h(TempoProvider, { tempo }, h(Page)))).toContain('idle; chat');
    expect(tempo.state.phase).toBe('ready');
    await tempo.dispose();
  });
});

describe('what is used wrongly', () => {
  const refusal = (page: ReactNode): unknown => {
    try {
      renderToString(page);
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  };

  it('says so: a hook without a provider', () => {
    const error = refusal(h(Page));
    expect(error).toBeInstanceOf(TempoError);
    expect(error).toMatchObject({ code: 'invalid_request' });
    expect(String(error)).toContain('<TempoProvider>');
  });

  it('says so: a provider with both, or with neither', () => {
    const tempo = createTempo({ ...OPTIONS, host: new TempoServer() });
    const cases = [{ tempo, options: OPTIONS }, {}, { tempo: null }, { options: null }];
    for (const props of cases) {
      const error = refusal(Reflect.apply(h, undefined, [TempoProvider, props]));
      expect(error).toMatchObject({ code: 'invalid_request', param: 'tempo' });
    }
    return tempo.dispose();
  });

  it.each([0, -1, Number.NaN, 5])('says so: an interval of %d ms', (intervalMs) => {
    const Watching = () =>
      h(
        'p',
        {},
        useSnapshot(() => 'x', { intervalMs }),
      );
    expect(refusal(own(h(Watching)))).toMatchObject({
      code: 'invalid_request',
      param: 'intervalMs',
    });
  });

  it.each([null, undefined, 'finished'] as never[])(
    'says so: %s in place of what is needed',
    (select) => {
      const Watching = () => h('p', {}, useSnapshot(select));
      const Counting = () => h('p', {}, useMetrics(select));
      for (const component of [Watching, Counting]) {
        expect(refusal(own(h(component)))).toMatchObject({
          code: 'invalid_request',
          param: 'select',
        });
      }
    },
  );

  it('says so: options that createTempo refuses', () => {
    const options = { ...OPTIONS, signal: JSON.parse('"soon"') };
    const error = refusal(h(TempoProvider, { options }));
    expect(error).toMatchObject({ code: 'invalid_request', param: 'signal' });
  });
});
