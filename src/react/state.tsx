import { type ReactNode, Suspense, useMemo, useSyncExternalStore } from 'react';
import { type ServerState, type Tempo, TempoError } from '../client';
import { useTempo } from './provider';
import { useSelected } from './selected';

const IDLE: ServerState = { phase: 'idle' };

const all = (state: ServerState) => state;

/** The state of the nearest Tempo: its phase, and the progress or the error that belongs to it. */
export function useTempoState(select?: null): ServerState;
/** A part of it; renders again only when that part changes. `useTempoState((state) => state.phase)` */
export function useTempoState<Selection>(select: (state: ServerState) => Selection): Selection;
export function useTempoState(select?: ((state: ServerState) => unknown) | null): unknown {
  const tempo = useTempo();
  const store = useMemo(
    () => ({ subscribe: tempo.onState, get: () => tempo.state, getServer: () => IDLE }),
    [tempo],
  );
  return useSelected(store, select ?? all);
}

/**
 * The nearest Tempo once it is ready: suspends while it loads, and throws its TempoError where it
 * failed, for an error boundary. `<Suspense>` belongs inside the `TempoProvider`: what is suspended is
 * not mounted, and an own Tempo loads once its provider is.
 *
 * On a server it throws `unsupported`, which makes React send the fallback.
 */
export function useTempoReady(): Tempo {
  const tempo = useTempo();
  const state = useTempoState();
  switch (state.phase) {
    case 'ready':
    case 'recovering':
      return tempo;
    case 'failed':
      throw TempoError.fromJSON(state.error);
    default:
      if (typeof window === 'undefined') throw notHere();
      throw settling(tempo);
  }
}

export interface TempoReadyProps {
  /** Shown until then, on a server too. */
  fallback?: ReactNode;
  children?: ReactNode;
}

/** Shows its children once the nearest Tempo is ready. A load that failed is thrown, for an error boundary. */
export function TempoReady({ fallback, children }: TempoReadyProps): ReactNode {
  const inBrowser = useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
  if (!inBrowser) return fallback;
  return (
    <Suspense fallback={fallback}>
      <Ready>{children}</Ready>
    </Suspense>
  );
}

function Ready({ children }: { children?: ReactNode }): ReactNode {
  useTempoReady();
  return children;
}

const never = () => () => {};

const waits = new WeakMap<Tempo, Promise<void>>();

/** Resolves when the load that is under way, or is to come, has ended either way. */
function settling(tempo: Tempo): Promise<void> {
  const known = waits.get(tempo);
  if (known !== undefined) return known;
  const wait = new Promise<void>((resolve) => {
    let stop = () => {};
    stop = tempo.onState(({ phase }) => {
      if (phase === 'idle' || phase === 'loading') return;
      stop();
      waits.delete(tempo);
      resolve();
    });
  });
  waits.set(tempo, wait);
  return wait;
}

function notHere(): TempoError {
  return new TempoError(
    'unsupported',
    'No engine runs while a page is rendered on a server. The nearest <Suspense> shows its fallback until the browser takes over.',
  );
}
