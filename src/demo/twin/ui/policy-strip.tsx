import { POLICY_NAMES } from '../../../client';
import { POLICY_LINES } from '../../../scheduler/policies/about';
import { useLive } from '../../store/live';
import { useLesson } from '../lesson';

/** Every policy on the same arrivals: who was in time, against what was left for the background. */
export function PolicyStrip() {
  const standings = useLesson((lesson) => lesson.standings);
  const b = useLesson((lesson) => lesson.b);
  const a = useLive((live) => live.policy);
  const { setB } = useLesson.getState();
  const most = Math.max(1, ...standings.map(({ background }) => background));
  return (
    <section className="policy-strip" aria-labelledby="strip-title">
      <header className="strip-head">
        <h2 id="strip-title">All policies</h2>
        <p className="muted">replayed; a click shows it as B</p>
      </header>
      <div className="strip-columns" aria-hidden="true">
        <span>in time</span>
        <span>tokens/s left</span>
      </div>
      <ul>
        {[...POLICY_NAMES].reverse().map((policy) => {
          const {
            judged = 0,
            met = 0,
            background = 0,
          } = standings.find((standing) => standing.policy === policy) ?? {};
          const share = judged === 0 ? 0 : met / judged;
          const words = judged === 0 ? 'not known yet' : `${met} of ${judged} in time`;
          return (
            <li key={policy}>
              <button
                type="button"
                className="strip-row"
                aria-pressed={policy === b}
                title={POLICY_LINES[policy].line}
                onClick={() => setB(policy)}
              >
                <span className="strip-name">
                  {policy}
                  {policy === a && <span className="strip-side">A</span>}
                  {policy === b && <span className="strip-side">B</span>}
                </span>
                <span className="hidden-text">
                  {`, ${words}, ${Math.round(background)} background tokens per second`}
                </span>
                <span className="strip-share" aria-hidden="true">
                  {judged === 0 ? '–' : `${Math.round(100 * share)}%`}
                </span>
                <span className="strip-bar on-time" aria-hidden="true">
                  <i style={{ inlineSize: `${100 * share}%` }} />
                </span>
                <span className="strip-bar background" aria-hidden="true">
                  <i style={{ inlineSize: `${(100 * background) / most}%` }} />
                </span>
                <span className="strip-rate" aria-hidden="true">
                  {judged === 0 ? '–' : Math.round(background)}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
