import { useEffect, useRef } from 'react';
import { POLICY_NAMES, type PolicyName } from '../../../client';
import { POLICY_LINES } from '../../../scheduler/policies/about';
import { nameOf } from '../../dashboard/engine/models';
import { APPS } from '../../dashboard/parts';
import { PolicySwitch } from '../../dashboard/policy-switch';
import { useEngine } from '../../store/engine';
import { useLive } from '../../store/live';
import { useLesson } from '../lesson';
import { defineTwins, type Twins } from '../view/twins';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'tempo-twins': { ref?: React.Ref<Twins>; children?: React.ReactNode };
    }
  }
}

defineTwins();

/** What runs live, and below it the same requests under another policy. */
export function TwinTimelines() {
  const element = useRef<Twins>(null);
  useEffect(() => {
    if (element.current !== null) element.current.apps = APPS;
  }, []);
  return (
    <tempo-twins ref={element}>
      <SideA />
      <SideB />
    </tempo-twins>
  );
}

function SideA() {
  const simulated = useLive(({ snapshot }) => snapshot?.simulated === true);
  const current = useEngine((engine) => engine.current);
  const policy = useLive((live) => live.policy);
  const { setPolicy } = useLive.getState();
  return (
    <div className="side-head" slot="a">
      <span className="side-letter">A</span>
      <PolicySwitch />
      <PolicySelect
        label="Policy of A"
        narrow
        policy={policy}
        onChoose={(name) => void setPolicy(name).catch(() => {})}
      />
      <p className="side-words side-line">{POLICY_LINES[policy].line}</p>
      <p className="side-words">
        runs live on {nameOf(current)}
        {simulated && (
          <>
            {' '}
            <span className="simulated-mark">simulated</span>
          </>
        )}
      </p>
      <Score side="a" />
    </div>
  );
}

function SideB() {
  const b = useLesson((lesson) => lesson.b);
  const { setB } = useLesson.getState();
  return (
    <div className="side-head" slot="b">
      <span className="side-letter">B</span>
      <PolicySelect label="Policy of B" policy={b} onChoose={setB} />
      <p className="side-words side-line">{POLICY_LINES[b].line}</p>
      <p className="side-words">
        the same requests on a copy of this device <span className="simulated-mark">simulated</span>
      </p>
      <Score side="b" />
    </div>
  );
}

interface PolicySelectProps {
  label: string;
  /** Only where there is no room for more. */
  narrow?: boolean;
  policy: PolicyName;
  onChoose(policy: PolicyName): void;
}

function PolicySelect({ label, narrow = false, policy, onChoose }: PolicySelectProps) {
  return (
    <label className={narrow ? 'side-policy narrow' : 'side-policy'}>
      <span className="hidden-text">{label}</span>
      <select
        className="inline-select"
        value={policy}
        onChange={({ target: { value } }) => {
          const chosen = POLICY_NAMES.find((name) => name === value);
          if (chosen !== undefined) onChoose(chosen);
        }}
      >
        {POLICY_NAMES.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How many were in time on this side. */
function Score({ side }: { side: 'a' | 'b' }) {
  const verdict = useLesson((lesson) => lesson.verdict);
  const judged = verdict?.judged ?? 0;
  const met = verdict?.met[side] ?? 0;
  const lost = judged > 0 && met / judged < 0.9;
  return (
    <p className={lost ? 'side-score late' : 'side-score'} data-side={side}>
      <b>{judged === 0 ? '–' : met}</b> of {judged} in time
    </p>
  );
}
