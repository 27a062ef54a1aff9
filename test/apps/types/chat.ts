import {
  type ChatCompletion,
  type ChatCompletionStream,
  createTempo,
  type ServerState,
  type Tempo,
  TempoError,
} from 'tempo-llm';
import { serve, TempoServer } from 'tempo-llm/server';
import 'tempo-llm/worker';

type IsAny<T> = 0 extends 1 & T ? true : false;
false satisfies IsAny<typeof createTempo>;
false satisfies IsAny<typeof TempoServer>;

const tempo: Tempo = createTempo({ model: 'Qwen3-0.6B-q4f16_1-MLC' });
const { chat } = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });

const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }];
const answer: ChatCompletion = await chat.completions.create({ messages });
answer.choices[0].message.content satisfies string | null;

const stream: ChatCompletionStream = await chat.completions.create({ messages, stream: true });
for await (const chunk of stream) {
  chunk.choices[0]?.delta.content satisfies string | null | undefined;
}

tempo.onState((state: ServerState) => {
  if (state.phase === 'failed') state.error.code satisfies string;
});

try {
  await tempo.ready;
} catch (error) {
  if (error instanceof TempoError) error.param satisfies string | undefined;
}

const { port1, port2 } = new MessageChannel();
serve(new TempoServer(), port1);
createTempo({ engine: 'simulated', worker: port2 });
createTempo({ engine: 'simulated', host: new TempoServer() });

// @ts-expect-error: what is to be loaded has to be said
createTempo();
// @ts-expect-error: a model has to be named
createTempo({});
// @ts-expect-error: for the engine by its name, too
createTempo({ engine: 'webllm' });
// @ts-expect-error: there is no such engine
createTempo({ engine: 'abacus' });
// @ts-expect-error: there is no such option
createTempo({ engine: 'simulated', modle: 'laptop-gpu' });
