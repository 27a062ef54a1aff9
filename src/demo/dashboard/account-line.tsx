import { useEffect, useState } from 'react';
import { monitor, useLive } from '../store/live';
import { useSettings } from '../store/settings';
import { account } from './account';

/** A sentence is left standing long enough to be read, ms. */
const EVERY_MS = 1000;

function tell(): string {
  const { snapshot, policy } = useLive.getState();
  if (snapshot === undefined) return 'The engine is starting.';
  const { current, previous } = monitor.ledger;
  const { demoTraffic } = useSettings.getState();
  return account({ snapshot, policy, current, previous, demoTraffic });
}

/** What you are seeing, in words, and what to try next. */
export function AccountLine() {
  const policy = useLive((live) => live.policy);
  const started = useLive((live) => live.snapshot !== undefined);
  const setPolicy = useLive((live) => live.setPolicy);
  const [text, setText] = useState(tell);
  // biome-ignore lint/correctness/useExhaustiveDependencies: told anew at once when these change
  useEffect(() => {
    setText(tell());
    const timer = setInterval(() => setText(tell()), EVERY_MS);
    return () => clearInterval(timer);
  }, [policy, started]);
  const other = policy === 'webllm' ? 'tempo' : 'webllm';
  return (
    <div className="account">
      <p className="account-text">{text}</p>
      <button
        type="button"
        className="button"
        onClick={() => void setPolicy(other).catch(() => {})}
      >
        {other === 'webllm' ? 'Try one at a time' : 'Back to tempo'}
      </button>
    </div>
  );
}
