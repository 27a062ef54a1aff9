import { useSnapshot, useTempoState } from 'tempo-llm/react';

/** What answers, how far its load is, and how fast it is. */
export function Engine() {
  const state = useTempoState();
  const tokensPerSecond = useSnapshot((snapshot) => Math.round(snapshot?.tokensPerSecond ?? 0));
  switch (state.phase) {
    case 'loading':
      return <p className="engine">{state.progress.text}</p>;
    case 'failed':
      return (
        <p role="alert">
          {state.error.message} <a href="?engine=simulated">Simulate a model</a>
        </p>
      );
    case 'ready':
      return (
        <p className="engine">
          {state.engine.kind === 'simulated' ? (
            <>
              The simulated engine answers: its text is made up. <a href="?">Use a model</a>
            </>
          ) : (
            <>
              {state.engine.model} answers, in this page.{' '}
              <a href="?engine=simulated">Simulate it</a>
            </>
          )}{' '}
          {tokensPerSecond} tokens/s
        </p>
      );
    default:
      return null;
  }
}
