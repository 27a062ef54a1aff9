import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useLayoutEffect,
  useReducer,
} from 'react';
import { type Tempo, TempoError, type TempoOptions } from '../client';
import { OwnTempo } from './own-tempo';

/** Exactly one of `tempo` and `options`. */
export type TempoProviderProps = { children?: ReactNode } & (
  | {
      /** A Tempo that the page has made, and will dispose of itself. */
      tempo: Tempo;
      options?: undefined;
    }
  | {
      /**
       * What `createTempo` takes: the provider's own Tempo begins to load when it is mounted, in the
       * browser alone, and is disposed of when it is unmounted. Read once; give the provider another
       * `key` for another Tempo, or switch the model with `tempo.load`.
       */
      options: TempoOptions;
      tempo?: undefined;
    }
);

const TempoContext = createContext<Tempo | undefined>(undefined);

/** Earlier than any passive effect of the children; on a server neither runs, but one of them warns. */
const useFirstEffect = typeof window === 'undefined' ? useEffect : useLayoutEffect;

/**
 * Gives the components in it a Tempo.
 *
 * ```tsx
 * <TempoProvider options={{ model: 'Qwen3-0.6B-q4f16_1-MLC' }}>
 *   <Chat />
 * </TempoProvider>
 * ```
 *
 * Throws `invalid_request` where both or neither of `tempo` and `options` are given.
 */
export function TempoProvider({ tempo, options, children }: TempoProviderProps): ReactNode {
  if (tempo && options) throw oneOfBoth();
  if (tempo) {
    return <TempoContext.Provider value={tempo}>{children}</TempoContext.Provider>;
  }
  if (!options) throw oneOfBoth();
  return <Owner options={options}>{children}</Owner>;
}

interface OwnerProps {
  options: TempoOptions;
  children?: ReactNode;
}

function Owner({ options, children }: OwnerProps): ReactNode {
  const make = () => new OwnTempo(options);
  const [own, renew] = useReducer(make, undefined, make);
  useFirstEffect(() => {
    if (!own.over) return own.hold();
    renew(); // it was hidden (`<Activity>`) long enough to be gone
  }, [own]);
  return <TempoContext.Provider value={own.tempo}>{children}</TempoContext.Provider>;
}

function oneOfBoth(): TempoError {
  return new TempoError(
    'invalid_request',
    'A TempoProvider takes either a tempo or the options to create one.',
    { param: 'tempo' },
  );
}

/**
 * The Tempo of the nearest `TempoProvider`. It is there from the first render on; before the provider
 * is mounted, and on a server, it is `idle`, and what is asked of it waits. Throws `invalid_request`
 * where there is no provider.
 */
export function useTempo(): Tempo {
  const tempo = useContext(TempoContext);
  if (tempo !== undefined) return tempo;
  throw new TempoError('invalid_request', 'There is no <TempoProvider> above this component.');
}
