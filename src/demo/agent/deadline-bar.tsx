import { useEffect, useState } from 'react';
import { seconds } from '../../dashboard/format';
import type { Run } from './agent-store';

const EVERY_MS = 100;

/** The deadline counting down; at the end, whether it was met. */
export function DeadlineBar({ run }: { run: Run }) {
  const [now, setNow] = useState(() => performance.now());
  const running = run.state === 'running';
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(performance.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, [running]);
  const usedMs = run.durationMs ?? Math.max(0, now - run.startedAt);
  const leftMs = run.deadlineMs - usedMs;
  const late = run.met === false || (running && leftMs < 0);
  return (
    <div className={late ? 'deadline late' : 'deadline'}>
      <p>
        {words(run, leftMs)}
        <span className="deadline-used">
          {seconds(usedMs)} of {seconds(run.deadlineMs)}
        </span>
      </p>
      <progress
        max={run.deadlineMs}
        value={Math.min(usedMs, run.deadlineMs)}
        aria-label="Time used of the deadline"
      />
    </div>
  );
}

function words({ state, met, durationMs, deadlineMs }: Run, leftMs: number): string {
  if (state === 'running') {
    return leftMs >= 0 ? `${seconds(leftMs)} left` : `${seconds(-leftMs)} late`;
  }
  if (state === 'stopped') return 'Stopped';
  if (state === 'failed') return 'Failed';
  const spareMs = deadlineMs - (durationMs ?? 0);
  return met ? `In time, ${seconds(spareMs)} to spare` : `Late by ${seconds(-spareMs)}`;
}
