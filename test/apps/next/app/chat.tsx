'use client';

import { type FormEvent, useEffect, useState } from 'react';
import { createTempo, type Tempo } from 'tempo-llm';

export function Chat() {
  const [tempo, setTempo] = useState<Tempo>();
  const [ready, setReady] = useState(false);
  const [question, setQuestion] = useState('Why is the sky blue?');
  const [reply, setReply] = useState('');
  const [answering, setAnswering] = useState(false);

  useEffect(() => {
    // ?model=Qwen2.5-0.5B-Instruct-q4f16_1-MLC answers with that model, nothing with the simulated engine.
    const model = new URLSearchParams(location.search).get('model');
    const tempo = createTempo(model ? { model } : { engine: 'simulated' });
    tempo.onState((state) => {
      setReady(state.phase === 'ready');
      if (state.phase === 'loading') setReply(state.progress.text);
      if (state.phase === 'failed') setReply(state.error.message);
    });
    setTempo(tempo);
    return () => void tempo.dispose();
  }, []);

  async function ask(event: FormEvent) {
    event.preventDefault();
    if (!tempo) return;
    setAnswering(true);
    setReply('');
    const { chat } = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });
    const stream = await chat.completions.create({
      messages: [{ role: 'user', content: question }],
      max_tokens: 200,
      stream: true,
    });
    for await (const chunk of stream) {
      setReply((reply) => reply + (chunk.choices[0].delta.content ?? ''));
    }
    setAnswering(false);
  }

  return (
    <main>
      <form onSubmit={ask}>
        <input
          aria-label="Question"
          value={question}
          onChange={({ target }) => setQuestion(target.value)}
        />
        <button type="submit" disabled={!ready || answering}>
          Ask
        </button>
      </form>
      <output>{reply}</output>
    </main>
  );
}
