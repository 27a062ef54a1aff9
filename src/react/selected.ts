import { useMemo, useSyncExternalStore } from 'react';
import { TempoError } from '../client';

/** Something outside React that changes. */
export interface Store<State> {
  subscribe(listener: () => void): () => void;
  get(): State;
  /** While a page is rendered on a server, and when it takes over in the browser. */
  getServer(): State;
}

/**
 * What `select` makes of a store's state; renders again only when that is another, one level deep. Throws
 * `invalid_request` where it is no function.
 */
export function useSelected<State, Selection>(
  store: Store<State>,
  select: (state: State) => Selection,
): Selection {
  if (typeof select !== 'function') {
    const sentence = 'Say what is needed: a function of the state, such as (state) => state.phase.';
    throw new TempoError('invalid_request', sentence, { param: 'select' });
  }
  const remembering = useMemo(() => remember(select), [select]);
  return useSyncExternalStore(
    store.subscribe,
    () => remembering(store.get()),
    () => remembering(store.getServer()),
  );
}

/** `select`, returning what it returned before for as long as that is equal. */
function remember<State, Selection>(select: (state: State) => Selection) {
  let last: { state: State; selection: Selection } | undefined;
  return (state: State): Selection => {
    if (last !== undefined && Object.is(last.state, state)) return last.selection;
    const fresh = select(state);
    const selection = last !== undefined && equal(last.selection, fresh) ? last.selection : fresh;
    last = { state, selection };
    return selection;
  };
}

/** The same, or plain objects or lists of the same things. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && Object.is(value, Reflect.get(b, key)))
  );
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
