import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { useLive } from '../../store/live';
import type { Choice } from '../address';
import { useLesson } from '../lesson';
import { SCENARIOS } from '../scenarios';

/** A step: one sentence, and one thing to do. */
interface Step {
  title: string;
  sentence: string;
  /** What the control does, as its label. */
  action: string;
  choice: Omit<Choice, 'seed'>;
}

/** About twelve seconds each. */
const STEPS: readonly Step[] = [
  {
    title: 'One at a time',
    sentence:
      'A page today serves one request after the other: even when it is calm, a chat waits behind a summary.',
    action: 'Serve one at a time',
    choice: { scenario: 'calm', load: 0.5, a: 'webllm', b: 'tempo' },
  },
  {
    title: 'Batching',
    sentence:
      'A step costs about the same for eight requests as for one, so they are served together, and most waits are gone.',
    action: 'Serve them together',
    choice: { scenario: 'calm', load: 0.5, a: 'fcfs', b: 'webllm' },
  },
  {
    title: 'Order matters',
    sentence:
      'Once the engine is nearly full, a long prompt that goes first makes the streams behind it late: first come is not first due.',
    action: 'Serve what is due first',
    choice: { scenario: 'rush', load: 1, a: 'edf', b: 'fcfs' },
  },
  {
    title: 'Just enough',
    sentence:
      'Nobody reads faster than so many tokens a second: give each stream just enough, and the rest of the time goes to the background.',
    action: 'Give just enough',
    choice: { scenario: 'rush', load: 1, a: 'tempo', b: 'sarathi' },
  },
  {
    title: 'Overload',
    sentence:
      'When not all can be in time, serving what is late already makes the next one late, too: choose whom to keep in time.',
    action: 'Let too many come',
    choice: { scenario: 'rush', load: 2, a: 'tempo', b: 'edf' },
  },
];

interface Tour {
  /** Which step is shown; undefined once it is over, or skipped. */
  at: number | undefined;
  show(at: number | undefined): void;
}

export const useTour = create<Tour>()(
  persist((set) => ({ at: location.search === '' ? 0 : undefined, show: (at) => set({ at }) }), {
    name: 'tempo.tour',
    partialize: ({ at }) => ({ over: at === undefined }),
    merge: (stored, tour) => ({ ...tour, ...(isOver(stored) && { at: undefined }) }),
  }),
);

function isOver(stored: unknown): boolean {
  return typeof stored === 'object' && stored !== null && 'over' in stored && stored.over === true;
}

/** Five things to see, a minute in all. */
export function TourStrip() {
  const at = useTour((tour) => tour.at);
  const show = useTour((tour) => tour.show);
  if (at === undefined) return null;
  const { title, sentence, action, choice } = STEPS[Math.min(at, STEPS.length - 1)];
  const last = at === STEPS.length - 1;
  return (
    <section className="tour" aria-label="In a minute">
      <ol className="tour-dots" aria-hidden="true">
        {STEPS.map((step, i) => (
          <li key={step.title} className={i <= at ? 'seen' : undefined} />
        ))}
      </ol>
      <p className="tour-text" aria-live="polite">
        <b>
          {at + 1} of {STEPS.length} · {title}.
        </b>{' '}
        {sentence}
      </p>
      <div className="tour-tools">
        <button type="button" className="button primary" onClick={() => choose(choice)}>
          {action}
        </button>
        <button type="button" className="button" onClick={() => show(last ? undefined : at + 1)}>
          {last ? 'Done' : 'Next'}
        </button>
        {!last && (
          <button type="button" className="button quiet" onClick={() => show(undefined)}>
            Skip
          </button>
        )}
      </div>
    </section>
  );
}

function choose({ scenario, load, a, b }: Step['choice']): void {
  const { scenario: before, setScenario, setLoad, setB } = useLesson.getState();
  if (scenario !== before) setScenario(scenario);
  if (load !== SCENARIOS[scenario].load || scenario === before) setLoad(load);
  setB(b);
  void useLive
    .getState()
    .setPolicy(a)
    .catch(() => {});
}
