import { useState } from 'react';
import type { PolicyName } from '../../client';
import { POLICY_LINES } from '../../scheduler/policies/about';
import { errorOf } from '../store/complete';
import { useLive } from '../store/live';
import { MAIN_POLICIES, OTHER_POLICIES } from './policies';

/** Which rule decides what runs; takes effect with the next step. */
export function PolicySwitch() {
  const policy = useLive((live) => live.policy);
  const setPolicy = useLive((live) => live.setPolicy);
  const [error, setError] = useState<string>();
  const choose = (name: PolicyName) => {
    setError(undefined);
    setPolicy(name).catch((thrown) => setError(errorOf(thrown).message));
  };
  return (
    <fieldset className="policy-switch">
      <legend className="caption">Policy</legend>
      <div className="segments">
        {MAIN_POLICIES.map((name) => (
          <label key={name} title={POLICY_LINES[name].line}>
            <input
              type="radio"
              name="policy"
              value={name}
              checked={name === policy}
              onChange={() => choose(name)}
            />
            {name}
          </label>
        ))}
        <OtherPolicies policy={policy} onChoose={choose} />
      </div>
      <p className="policy-line">
        {error === undefined ? (
          <>
            {POLICY_LINES[policy].line}{' '}
            <span className="muted">({POLICY_LINES[policy].origin})</span>
          </>
        ) : (
          <span className="error-text">{error}</span>
        )}
      </p>
    </fieldset>
  );
}

interface OtherPoliciesProps {
  policy: PolicyName;
  onChoose(policy: PolicyName): void;
}

function OtherPolicies({ policy, onChoose }: OtherPoliciesProps) {
  const other = OTHER_POLICIES.find((name) => name === policy);
  return (
    <label className={other === undefined ? 'segment-select' : 'segment-select chosen'}>
      <span className="hidden-text">Other policies</span>
      <select
        value={other ?? ''}
        onChange={(event) => {
          const chosen = OTHER_POLICIES.find((name) => name === event.target.value);
          if (chosen !== undefined) onChoose(chosen);
        }}
      >
        <option value="" disabled hidden>
          others
        </option>
        {OTHER_POLICIES.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
