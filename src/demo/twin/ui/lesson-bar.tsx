import { useId } from 'react';
import { LOAD } from '../address';
import { useLesson } from '../lesson';
import { isScenarioName, SCENARIO_NAMES, SCENARIOS } from '../scenarios';

/** Who comes, and how many of them. */
export function LessonBar() {
  const scenario = useLesson((lesson) => lesson.scenario);
  const { setScenario } = useLesson.getState();
  const lineId = useId();
  return (
    <div className="lesson-bar">
      <div className="lesson-scenario">
        <label>
          <span className="caption">Scenario</span>
          <select
            className="field"
            value={scenario}
            aria-describedby={lineId}
            onChange={({ target: { value } }) => {
              if (isScenarioName(value)) setScenario(value);
            }}
          >
            {SCENARIO_NAMES.map((name) => (
              <option key={name} value={name}>
                {SCENARIOS[name].title}
              </option>
            ))}
          </select>
        </label>
        <p id={lineId} className="lesson-line">
          {SCENARIOS[scenario].line}
        </p>
      </div>
      <Dial />
    </div>
  );
}

/** How much is asked of the engine: at 1 it is just full. */
function Dial() {
  const load = useLesson((lesson) => lesson.load);
  const { setLoad, burst } = useLesson.getState();
  const place = (at: number) => `${(100 * (at - LOAD.least)) / (LOAD.most - LOAD.least)}%`;
  return (
    <div className="dial">
      <label className="dial-label">
        <span className="caption">Load</span> <b className="dial-value">{load.toFixed(1)}</b>
        <span className="hidden-text"> of what the engine can do; at 1 it is full</span>
        <input
          type="range"
          min={LOAD.least}
          max={LOAD.most}
          step={LOAD.step}
          value={load}
          aria-valuetext={`${load.toFixed(1)}${load > 1 ? ', more than the engine can do' : load === 1 ? ', the engine is full' : ''}`}
          onChange={({ target }) => setLoad(Number(target.value))}
        />
      </label>
      <div className="dial-scale" aria-hidden="true">
        {[0.5, 1, 2, 3, 4].map((at) => (
          <span key={at} className={at === 1 ? 'full' : undefined} style={{ left: place(at) }}>
            {at === 1 ? 'engine full' : at}
          </span>
        ))}
      </div>
      <button
        type="button"
        className="button"
        onClick={burst}
        title="Nine more come at this moment"
      >
        Burst
      </button>
    </div>
  );
}
