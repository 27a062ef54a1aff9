/** Begins a generation that is kept, tells the page around it when some of it is there, and waits for its end. */
import { CreateMLCEngine } from '@mlc-ai/web-llm';
import { MODEL, onTempo } from './examples/on-tempo';

const query = new URLSearchParams(location.search);
const sessionId = query.get('sessionId') ?? '';
const engine = await CreateMLCEngine(MODEL, onTempo);
const request = {
  messages: [{ role: 'user' as const, content: 'A long list, please.' }],
  max_tokens: 60,
  ignore_eos: true,
  seed: 7,
  extra_body: { resumable: { enabled: true, sessionId } },
};
if (query.get('streamed') === 'true') {
  let count = 0;
  for await (const _ of await engine.chatCompletion({ ...request, stream: true })) {
    if (++count === 8) parent.postMessage(sessionId, '*');
  }
} else {
  void engine.chatCompletion(request);
  while ((await engine.getMessage()) === '') await new Promise((done) => setTimeout(done, 10));
  parent.postMessage(sessionId, '*');
}
