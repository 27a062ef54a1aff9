import { useSyncExternalStore } from 'react';
import { simulated, tempo } from './agent';

export const useTempoState = () => useSyncExternalStore(tempo.onState, () => tempo.state);

/** What answers, and how far its load is. */
export function Engine() {
  const state = useTempoState();
  if (state.phase === 'loading') return <p className="engine">{state.progress.text}</p>;
  if (state.phase === 'failed') {
    return (
      <p role="alert">
        {state.error.message} <a href="?engine=simulated">Simulate a model</a>
      </p>
    );
  }
  return simulated ? (
    <p className="engine">
      The simulated engine answers: its text is made up. <a href="?">Use a model</a>
    </p>
  ) : (
    <p className="engine">
      A model in this page answers. <a href="?engine=simulated">Simulate it</a>
    </p>
  );
}
