import { type FormEvent, useState } from 'react';
import { useChat, useTempoState } from 'tempo-llm/react';

export function Chat() {
  const [question, setQuestion] = useState('Why do leaves fall in autumn?');
  const ready = useTempoState(({ phase }) => phase === 'ready');
  const { messages, status, error, sendMessage, stop, regenerate } = useChat({
    system: 'Answer in a few sentences.',
    slo: { class: 'latency', ttft: 800, tbt: 80 },
    max_tokens: 300,
  });
  const answering = status === 'submitted' || status === 'streaming';

  function ask(event: FormEvent) {
    event.preventDefault();
    void sendMessage(question);
    setQuestion('');
  }

  return (
    <main>
      <div className="conversation">
        {messages.map(({ id, role, content }) =>
          role === 'user' ? (
            <p key={id} className="message user">
              {content}
            </p>
          ) : (
            <output key={id}>{content}</output>
          ),
        )}
        {error && <p role="alert">{error.message}</p>}
      </div>
      <form onSubmit={ask}>
        <input
          aria-label="Question"
          value={question}
          onChange={({ target }) => setQuestion(target.value)}
        />
        <button type="submit" disabled={!ready || answering}>
          Ask
        </button>
        {answering && (
          <button type="button" className="quiet" onClick={stop}>
            Stop
          </button>
        )}
        {!answering && messages.length > 0 && (
          <button type="button" className="quiet" onClick={() => regenerate()}>
            Again
          </button>
        )}
      </form>
    </main>
  );
}
