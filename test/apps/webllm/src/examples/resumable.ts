/** After WebLLM's resumable-generation. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, equal, failure, matches, ok } from '../check';
import { MODEL, onTempo, says } from './on-tempo';

const engineOf = () => webllm.CreateMLCEngine(MODEL, onTempo);
const keptAs = (sessionId: string, more: object = {}) => ({
  extra_body: { resumable: { enabled: true, sessionId, ...more } },
});
const messages = [{ role: 'user' as const, content: 'A long list, please.' }];
const endless = { messages, max_tokens: 60, ignore_eos: true, seed: 7 };

function streamOf<T extends object>(
  resumed: webllm.ResumeResult | AsyncIterable<T>,
): AsyncIterable<T> {
  if (Symbol.asyncIterator in resumed) return resumed;
  throw new Error(`no stream, but ${JSON.stringify(resumed)}`);
}

function resultOf(resumed: webllm.ResumeResult | object): webllm.ResumeResult {
  if ('recoveredText' in resumed) return resumed;
  throw new Error('a stream');
}

async function textOf(chunks: AsyncIterable<webllm.ChatCompletionChunk>): Promise<string> {
  let text = '';
  for await (const { choices } of chunks) text += choices[0]?.delta.content ?? '';
  return text;
}

/** What the same request says when nothing ends it early. */
async function whole(engine: webllm.MLCEngineInterface): Promise<string> {
  const { choices } = await engine.chatCompletion(endless);
  return choices[0].message.content ?? '';
}

/** Begins it, and interrupts it after some text. */
async function interrupted(engine: webllm.MLCEngineInterface, sessionId: string): Promise<string> {
  let text = '';
  let count = 0;
  const request = { ...endless, ...keptAs(sessionId), stream: true as const };
  for await (const { choices } of await engine.chatCompletion(request)) {
    text += choices[0]?.delta.content ?? '';
    if (++count === 10) engine.interruptGenerate();
  }
  return text;
}

/** Begins it in another page, which ends after some text. */
async function crashed(sessionId: string, streamed: boolean): Promise<void> {
  const frame = document.createElement('iframe');
  frame.src = `crash.html?${new URLSearchParams({ sessionId, streamed: String(streamed) })}`;
  const told = new Promise<void>((resolve) => {
    addEventListener('message', ({ data }) => data === sessionId && resolve());
  });
  document.body.append(frame);
  await told;
  frame.remove();
}

async function infoOf(engine: webllm.MLCEngineInterface, sessionId: string) {
  return (await engine.listResumableSessions()).find((info) => info.sessionId === sessionId);
}

export const resumable: Checks = {
  'what ended by itself is kept, and is not gone on with': async () => {
    const engine = await engineOf();
    const request = { messages, ...keptAs('whole'), ...says('One, two, three.') };
    await engine.chatCompletion(request);
    matches(await infoOf(engine, 'whole'), {
      resumable: false,
      reason: 'generation finished',
      modelId: MODEL,
      recoveryMode: 'none',
    });
    for (const options of [undefined, { continueGeneration: true, stream: true }]) {
      matches(await engine.resumeChatCompletion('whole', options), {
        recoveredText: 'One, two, three.',
        recoveryMode: 'text_only',
        replayedTokens: 0,
      });
    }
    ok(
      /already exists/.test(String(await failure(engine.chatCompletion(request)))),
      'the name was used twice',
    );
    await engine.deleteResumableSession('whole');
    equal(await infoOf(engine, 'whole'), undefined);
    await engine.chatCompletion(request);
    await engine.deleteResumableSession('whole');
    await engine.unload();
  },

  'what was interrupted goes on in a stream, to the same end': async () => {
    const engine = await engineOf();
    const expected = await whole(engine);
    const begun = await interrupted(engine, 'interrupted');
    ok(begun !== '' && expected.startsWith(begun) && begun !== expected, `it begins ${begun}`);
    matches(await infoOf(engine, 'interrupted'), {
      resumable: true,
      reason: 'generation aborted',
      recoveryMode: 'token_replay',
    });
    const resumed = await engine.resumeChatCompletion('interrupted', {
      continueGeneration: true,
      stream: true,
    });
    equal(begun + (await textOf(streamOf(resumed))), expected);
    equal(await engine.getMessage(), expected);
    matches(await engine.resumeChatCompletion('interrupted'), { recoveredText: expected });
    await engine.deleteResumableSession('interrupted');
    await engine.unload();
  },

  'what a page left when it ended goes on in another': async () => {
    await crashed('crashed', false);
    const engine = await engineOf();
    const expected = await whole(engine);
    const info = await infoOf(engine, 'crashed');
    matches(info, { resumable: true, reason: 'generation incomplete' });
    const before = resultOf(await engine.resumeChatCompletion('crashed'));
    ok(expected.startsWith(before.recoveredText) && before.recoveredText !== '', 'nothing kept');
    const result = resultOf(
      await engine.resumeChatCompletion('crashed', { continueGeneration: true }),
    );
    equal(result.recoveredText, expected);
    equal([result.emittedTokens, result.replayedTokens], [60, before.emittedTokens]);
    equal(result.recoveryMode, 'token_replay');
    await engine.deleteResumableSession('crashed');
    await engine.unload();
  },

  'it goes on in pieces, interrupted again': async () => {
    await crashed('pieces', true);
    const engine = await engineOf();
    const expected = await whole(engine);
    const options = { continueGeneration: true, stream: true };
    let text = resultOf(await engine.resumeChatCompletion('pieces')).recoveredText;
    for await (const { choices } of streamOf(
      await engine.resumeChatCompletion('pieces', options),
    ) as AsyncIterable<webllm.ChatCompletionChunk>) {
      text += choices[0]?.delta.content ?? '';
      engine.interruptGenerate();
    }
    ok(expected.startsWith(text) && text !== expected, `after two pieces ${text}`);
    text += await textOf(streamOf(await engine.resumeChatCompletion('pieces', options)));
    equal(text, expected);
    await engine.deleteResumableSession('pieces');
    await engine.unload();
  },

  'a session that runs is nobody else’s': async () => {
    const engine = await engineOf();
    const running = await engine.chatCompletion({
      ...endless,
      max_tokens: 400,
      ...keptAs('busy', { durabilityMode: 'relaxed' }),
      stream: true,
    });
    for (const call of [
      () => engine.resumeChatCompletion('busy', { continueGeneration: true }),
      () => engine.deleteResumableSession('busy'),
    ]) {
      ok(/already active/.test(String(await failure(call()))), 'it was taken');
    }
    engine.interruptGenerate();
    await textOf(running);
    await engine.deleteResumableSession('busy');
    ok(
      /not found/.test(String(await failure(engine.resumeChatCompletion('busy')))),
      'it is still there',
    );
    await engine.unload();
  },

  'a session of another model is read, and no more': async () => {
    const engine = await engineOf();
    const begun = await interrupted(engine, 'other');
    await engine.reload('Qwen3-0.6B-q4f16_1-MLC');
    matches(await engine.resumeChatCompletion('other', { continueGeneration: true }), {
      recoveredText: begun,
      recoveryMode: 'text_only',
    });
    await engine.deleteResumableSession('other');
    await engine.unload();
  },
};
