import type { LoadProgress } from '../../../client';
import { bytes, roughly } from '../../design/format';
import { type Failure, useEngine } from '../../store/engine';
import { useLive } from '../../store/live';
import { nameOf } from './models';

/** What a reader must know of the engine: that it loads, failed, or comes back. Nothing when all is well. */
export function LoadStrip() {
  const state = useLive((live) => live.state);
  const failure = useEngine((engine) => engine.failure);
  const loading = useEngine((engine) => engine.loading);
  const current = useEngine((engine) => engine.current);
  const { load, cancel, dismiss } = useEngine.getState();
  if (loading && state.phase === 'loading' && current.engine === 'webllm') {
    return (
      <div className="strip">
        <p>
          <b role="status">Loading {nameOf(current)}.</b> <Progress progress={state.progress} />
        </p>
        <progress
          max={1}
          value={state.progress.fraction}
          aria-label={`Loading ${nameOf(current)}`}
        />
        <button type="button" className="button small" onClick={cancel}>
          Cancel
        </button>
      </div>
    );
  }
  if (failure !== undefined) {
    return (
      <div className="strip failed" role="alert">
        <p>
          <b>{nameOf(failure.choice)} did not load.</b> {failure.error.message}
          {instead(failure)}
        </p>
        <button type="button" className="button small" onClick={() => void load(failure.choice)}>
          Try again
        </button>
        <button type="button" className="button quiet small" onClick={dismiss}>
          Dismiss
        </button>
      </div>
    );
  }
  if (state.phase === 'recovering') {
    return (
      <div className="strip" role="status">
        <p>
          <b>The GPU was lost.</b> The model is being loaded again (attempt {state.attempt});
          requests wait and will go on.
        </p>
      </div>
    );
  }
  if (state.phase === 'failed' && !loading) {
    return (
      <div className="strip failed" role="alert">
        <p>
          <b>The engine stopped.</b> {state.error.message}
        </p>
        <button type="button" className="button small" onClick={() => void load(current)}>
          Start it again
        </button>
      </div>
    );
  }
  return null;
}

/** What became of the page when a load failed. */
function instead({ instead, kept }: Failure): string {
  if (instead === undefined) return ' The simulated engine did not start either.';
  const name = `${nameOf(instead)}${instead.engine === 'simulated' ? ', simulated,' : ''}`;
  return kept
    ? ` ${name} goes on.`
    : ` ${name} was started in its place; what was under way has ended.`;
}

function Progress({ progress }: { progress: LoadProgress }) {
  const { phase, text, loadedBytes, totalBytes, remainingMs, fromCache } = progress;
  if (phase !== 'download' || loadedBytes === undefined) return <>{text}</>;
  return (
    <>
      {bytes(loadedBytes)}
      {totalBytes !== undefined && ` of ${bytes(totalBytes)}`}
      {fromCache && ' from the cache'}
      {remainingMs !== undefined && `, about ${roughly(remainingMs)} left`}
    </>
  );
}
