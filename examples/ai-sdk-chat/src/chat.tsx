import { useChat } from '@ai-sdk/react';
import { DirectChatTransport } from 'ai';
import { type FormEvent, useState } from 'react';
import { agent } from './agent';
import { useTempoState } from './engine';

const transport = new DirectChatTransport({ agent });

export function Chat() {
  const [question, setQuestion] = useState('Why do leaves fall in autumn?');
  const { phase } = useTempoState();
  const { messages, status, error, sendMessage, stop, regenerate } = useChat({ transport });
  const answering = status === 'submitted' || status === 'streaming';

  function ask(event: FormEvent) {
    event.preventDefault();
    void sendMessage({ text: question });
    setQuestion('');
  }

  return (
    <main>
      <div className="conversation">
        {messages.map(({ id, role, parts }) => {
          const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
          const looked = parts.some(({ type }) => type === 'tool-time');
          return role === 'user' ? (
            <p key={id} className="message user">
              {text}
            </p>
          ) : (
            <div key={id}>
              {looked && <small>Looked at the clock.</small>}
              <output>{text}</output>
            </div>
          );
        })}
        {error && <p role="alert">{error.message}</p>}
      </div>
      <form onSubmit={ask}>
        <input
          aria-label="Question"
          value={question}
          onChange={({ target }) => setQuestion(target.value)}
        />
        <button type="submit" disabled={phase !== 'ready' || answering}>
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
