import type { ChatMessage, Completions, Tempo } from 'tempo-llm';

declare const tempo: Tempo;
declare const completions: Completions;
declare const messages: ChatMessage[];
declare function show(text: string): void;

const stream = await completions.create({ messages, stream: true });
console.log(`First served in about ${stream.estimatedWaitMs} ms.`);
for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? '');
const { usage } = await stream.final(); // the whole answer; it needs no reading of the chunks

const program = tempo.program({ app: 'agent', deadline: 15_000 });
const plan = await program.chat.completions.create({ messages, stage: 'plan' });
const { met, serviceGain } = await program.end();

export { met, plan, serviceGain, usage };
