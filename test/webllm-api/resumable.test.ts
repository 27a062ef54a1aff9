import { describe, expect, it } from 'vitest';
import { all, engineOf, simulated, thrown, user } from './setup';

/** Node has no IndexedDB. Sessions that are kept are tested in a browser (`test/apps/webllm`). */
describe('where nothing can be kept', () => {
  const resumable = { enabled: true, sessionId: 'poem' };
  const request = { messages: [user('A poem!')], max_tokens: 4, ignore_eos: true };

  it('a generation goes on without, unless it is to be strict', async () => {
    const engine = await engineOf(undefined, { logLevel: 'SILENT' });
    const reply = await engine.chatCompletion({ ...request, extra_body: { resumable } });
    expect(reply.choices[0].finish_reason).toBe('length');
    const stream = await engine.chatCompletion({
      ...request,
      extra_body: { resumable },
      stream: true,
    });
    expect((await all(stream)).at(-1)?.choices[0].finish_reason).toBe('length');
    const strict = { resumable: { ...resumable, strictPersistence: true } };
    expect(await thrown(engine.chatCompletion({ ...request, extra_body: strict }))).toMatchObject({
      code: 'unsupported',
    });
    expect((await engine.chatCompletion(request)).choices[0].finish_reason).toBe('length');
  });

  it('there are no sessions', async () => {
    const engine = await engineOf();
    expect(await engine.listResumableSessions()).toEqual([]);
    expect(await thrown(engine.resumeChatCompletion('poem'))).toMatchObject({
      code: 'unsupported',
    });
    await engine.deleteResumableSession('poem');
  });
});

describe('a generation that is to be kept', () => {
  const messages = [user('A poem!')];
  it.each<[object, string]>([
    [{ n: 2, extra_body: { resumable: { enabled: true } } }, 'n'],
    [
      { extra_body: { resumable: { enabled: true, sessionId: '' } } },
      'extra_body.resumable.sessionId',
    ],
    [
      { extra_body: { resumable: { enabled: true, durabilityMode: 'x' } } },
      'extra_body.resumable.durabilityMode',
    ],
  ])('is refused with %j', async (wrong, param) => {
    const engine = await engineOf();
    expect(await thrown(engine.chatCompletion({ messages, ...wrong } as never))).toMatchObject({
      name: 'ConfigValueError',
      code: 'invalid_request',
      param,
    });
  });

  it('is none where that is off', async () => {
    const engine = await engineOf();
    const extra_body = { resumable: { enabled: false, strictPersistence: true } };
    const request = { messages, max_tokens: 2, ignore_eos: true, extra_body };
    expect((await engine.chatCompletion(request)).choices[0].finish_reason).toBe('length');
  });
});

describe('tempo.simulate', () => {
  const simulate = (request: object) => ({
    content: 'messages' in request ? 'As you say.' : ' a time',
  });

  it('says what a simulated engine answers; a request’s own goes first', async () => {
    const engine = await engineOf(undefined, simulated({ simulate }));
    const said = async (more = {}) =>
      (await engine.chatCompletion({ messages: [user('x')], ...more })).choices[0].message.content;
    expect(await said()).toBe('As you say.');
    expect(await said({ simulate: { content: 'No.' } })).toBe('No.');
    const { choices } = await engine.completion({ prompt: 'Once upon' });
    expect(choices[0].text).toBe(' a time');
  });
});
