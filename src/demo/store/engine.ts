import { create } from 'zustand';
import type { LoadConfig, TempoErrorJson } from '../../client';
import { errorOf, isAbort } from './complete';
import { useLive } from './live';
import { useSettings } from './settings';
import { tempo } from './tempo';

export type EngineChoice = Pick<LoadConfig, 'engine' | 'model'>;

const FALLBACK: EngineChoice = { engine: 'simulated', model: 'laptop-gpu' };

/** A load that failed, and what there is in its place. */
export interface Failure {
  choice: EngineChoice;
  error: TempoErrorJson;
  /** What runs now, if anything does. */
  instead: EngineChoice | undefined;
  /** It ran before, and nobody noticed; else it was started anew, and what was open has ended. */
  kept: boolean;
}

interface Engine {
  /** What runs, or is being loaded. */
  current: EngineChoice;
  loading: boolean;
  /** Why the last load failed, until the next one. */
  failure: Failure | undefined;
  /** Switches engine or model; when that fails, the simulated engine takes over again. */
  load(choice: EngineChoice): Promise<void>;
  cancel(): void;
  dismiss(): void;
}

let controller: AbortController | undefined;

/** After a load that failed or was cancelled: what ran before, if it still does, or else the simulated engine. */
async function goOn(before: EngineChoice): Promise<Pick<Failure, 'instead' | 'kept'>> {
  const kept = tempo.state.phase === 'ready';
  const instead = kept ? before : FALLBACK;
  useEngine.setState({ current: instead });
  if (kept) return { instead, kept };
  try {
    await tempo.load({ ...FALLBACK, policy: useLive.getState().policy });
    return { instead, kept };
  } catch {
    return { instead: undefined, kept };
  }
}

export const useEngine = create<Engine>()((set, get) => ({
  current: { engine: 'simulated', model: useSettings.getState().device },
  loading: false,
  failure: undefined,

  async load(choice) {
    if (get().loading) return;
    controller = new AbortController();
    const before = get().current;
    const { holdTraffic } = useSettings.getState();
    set({ current: choice, loading: true, failure: undefined });
    // A real model answers its reader; scripted visitors would only be in the way.
    holdTraffic(choice.engine === 'webllm');
    try {
      await tempo.load(
        { ...choice, policy: useLive.getState().policy },
        { signal: controller.signal },
      );
      if (choice.engine === 'simulated') useSettings.setState({ device: choice.model });
    } catch (thrown) {
      const after = await goOn(before);
      if (!isAbort(thrown)) set({ failure: { choice, error: errorOf(thrown), ...after } });
      holdTraffic(get().current.engine === 'webllm');
    } finally {
      set({ loading: false });
    }
  },

  cancel() {
    controller?.abort();
  },

  dismiss() {
    set({ failure: undefined });
  },
}));
