import { useAgent } from '../agent/agent-store';
import { APP_LABELS, type AppName } from '../design/apps';
import { ms, percent } from '../design/format';
import { agentDeadlineMs, useLive } from '../store/live';
import { TRACK_HEIGHTS } from './timeline/geometry';

/** Beside an app's lanes: how often it was in time of late, and its latencies against its objective. */
export function TrackHead({ app }: { app: AppName }) {
  const bestEffort = useLive((live) => live.slos[app].class === 'best-effort');
  return (
    <div className="track-head" data-app={app} style={{ height: TRACK_HEIGHTS[app] }}>
      <h3 className="track-name">
        <span className="swatch" /> {APP_LABELS[app]}
      </h3>
      {bestEffort ? <TokenRate app={app} /> : <Attainment app={app} />}
      <div className="track-facts">
        {app === 'chat' && <ChatFacts />}
        {app === 'agent' && <AgentFacts />}
        {app === 'summarizer' && <SummarizerFacts />}
      </div>
    </div>
  );
}

function Attainment({ app }: { app: AppName }) {
  const attainment = useLive((live) => live.attainment[app]);
  const late = attainment !== undefined && attainment < 0.9;
  return (
    <p
      className={late ? 'track-figure late' : 'track-figure'}
      title="Share of requests in time: those finished in the last 20 s or since the policy changed, and those overdue now"
    >
      {percent(attainment)}
      <span className="track-caption">in time</span>
    </p>
  );
}

/** Nothing of best effort can be late; what counts is how much of it gets done. */
function TokenRate({ app }: { app: AppName }) {
  const rate = useLive((live) => live.tokenRates[app]);
  return (
    <p className="track-figure" title="Output tokens per second, over the last two seconds">
      {Math.round(rate)}
      <span className="track-caption">tokens/s</span>
    </p>
  );
}

function ChatFacts() {
  const group = useLive((live) => live.snapshot?.metrics.byApp.chat);
  const slo = useLive((live) => live.slos.chat);
  if (slo.class !== 'latency') return null;
  return (
    <>
      <Fact name="TTFT, p95" value={ms(group?.ttft.p95)} target={`of ${slo.ttft} ms`} />
      <Fact name="TBT, p95" value={ms(group?.tbt.p95)} target={`of ${slo.tbt} ms`} />
    </>
  );
}

function AgentFacts() {
  const ended = useAgent((agent) => agent.ended);
  const met = useAgent((agent) => agent.met);
  const deadlineMs = useLive((live) => agentDeadlineMs(live.slos));
  const calls = useLive((live) => live.snapshot?.metrics.byApp.agent?.finished ?? 0);
  return (
    <>
      <Fact
        name={`runs within ${deadlineMs / 1000} s`}
        value={String(met)}
        target={`of ${ended}`}
      />
      <Fact name="calls finished" value={String(calls)} target="" />
    </>
  );
}

function SummarizerFacts() {
  const group = useLive((live) => live.snapshot?.metrics.byApp.summarizer);
  return (
    <>
      <Fact name="parts summarized" value={String(group?.finished ?? 0)} target="" />
      <Fact name="TBT, p95" value={ms(group?.tbt.p95)} target="ms" />
    </>
  );
}

function Fact({ name, value, target }: { name: string; value: string; target: string }) {
  return (
    <p className="fact">
      <span className="fact-name">{name}</span>
      <span className="fact-value">{value}</span>
      <span className="fact-target">{target}</span>
    </p>
  );
}

/** Beside the engine's own track. */
export function EngineHead() {
  const tokensPerSecond = useLive((live) => live.snapshot?.tokensPerSecond ?? 0);
  const steps = useLive((live) => live.snapshot?.metrics.steps ?? 0);
  const busyMs = useLive((live) => live.snapshot?.metrics.busyMs ?? 0);
  return (
    <div className="track-head engine-head">
      <h3 className="track-name">Engine</h3>
      <p className="engine-figures">
        <span>
          <b>{Math.round(tokensPerSecond)}</b> tokens/s
        </span>
        <span>
          <b>{steps === 0 ? '–' : (busyMs / steps).toFixed(1)}</b> ms a step
        </span>
      </p>
    </div>
  );
}
