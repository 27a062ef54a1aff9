import { describe, expect, it, vi } from 'vitest';
import { OwnTempo } from '../src/react/own-tempo';
import { Harness } from '../src/server/testing/harness';

const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));
const HELLO = { messages: [{ role: 'user', content: 'Hello' }] } as const;

function make() {
  const harness = new Harness();
  const load = vi.spyOn(harness.server, 'load');
  const dispose = vi.spyOn(harness.server, 'dispose');
  const own = new OwnTempo({ engine: 'simulated', host: harness.server });
  return { own, load, dispose };
}

describe('a Tempo of a component’s own', () => {
  it('does nothing until it is held: what is asked of it before waits', async () => {
    const { own, load } = make();
    const ready = vi.fn();
    own.tempo.ready.then(ready);
    const answer = own.tempo.app('chat').chat.completions.create({ ...HELLO, max_tokens: 3 });
    await tick(20);
    expect(load).not.toHaveBeenCalled();
    expect(ready).not.toHaveBeenCalled();
    expect(own.tempo.state).toEqual({ phase: 'idle' });
    own.hold();
    expect((await answer).choices[0].finish_reason).toBe('length');
    expect(ready).toHaveBeenCalledOnce();
    await own.tempo.dispose();
  });

  it('is loaded once and stays, however often it is let go of and held again at once', async () => {
    const { own, load, dispose } = make();
    for (let i = 0; i < 3; i++) own.hold()();
    own.hold();
    await own.tempo.ready;
    await tick(20);
    expect(load).toHaveBeenCalledOnce();
    expect(dispose).not.toHaveBeenCalled();
    expect(own.over).toBe(false);
    await own.tempo.dispose();
  });

  it('is disposed of when nobody holds it any more', async () => {
    const { own, dispose } = make();
    const release = own.hold();
    await own.tempo.ready;
    release();
    expect(own.over).toBe(false);
    await vi.waitFor(() => expect(own.over).toBe(true));
    expect(dispose).toHaveBeenCalledOnce();
    const asked = own.tempo.app('chat').chat.completions.create(HELLO);
    await expect(asked).rejects.toMatchObject({ code: 'disposed' });
  });
});
