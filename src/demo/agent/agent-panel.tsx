import { useRef } from 'react';
import { Composer } from '../chat/composer';
import { SloControl } from '../dashboard/slo-control';
import { ChannelSwitch } from '../design/channel-switch';
import { duration } from '../design/format';
import { ModelMarkdown } from '../design/markdown';
import { Panel } from '../design/panel';
import { ScrollArea } from '../design/scroll-area';
import { useStickToEnd } from '../design/use-stick-to-end';
import { useSettings } from '../store/settings';
import { type Run, useAgent } from './agent-store';
import { DeadlineBar } from './deadline-bar';
import { StepView } from './step-view';

export function AgentPanel() {
  const channel = useAgent((agent) => agent.channel);
  const run = useAgent((agent) => agent.runs[agent.channel]);
  const busy = useAgent((agent) => agent.runs.you?.state === 'running');
  const { show, run: start, stop } = useAgent.getState();
  return (
    <Panel
      app="agent"
      objective={<SloControl app="agent" />}
      aside={<ChannelSwitch name="agent" channel={channel} onChange={show} />}
    >
      {run === undefined ? <NoRun /> : <RunView run={run} />}
      <Composer
        label="Task for the agent"
        placeholder="Give it a task, say 23 kg in lb"
        action="Run"
        busy={busy}
        onSubmit={(task) => {
          show('you');
          void start('you', task);
        }}
        onStop={() => stop('you')}
      />
    </Panel>
  );
}

function NoRun() {
  const channel = useAgent((agent) => agent.channel);
  const demoTraffic = useSettings((settings) => settings.demoTraffic);
  return (
    <p className="panel-scroll empty">
      {channel === 'you'
        ? 'Give it a task. It has a calculator, a calendar, unit conversion, and the handbook of a field station.'
        : demoTraffic
          ? 'The visitor is coming.'
          : 'Demo traffic is off.'}
    </p>
  );
}

function RunView({ run }: { run: Run }) {
  const list = useRef<HTMLElement>(null);
  useStickToEnd(list, run);
  const { task, steps, answer, error, state } = run;
  return (
    <>
      <DeadlineBar run={run} />
      <ScrollArea label="Run" className="run" ref={list}>
        <p className="run-task">{task}</p>
        <ol className="steps" aria-label="Steps of the agent">
          {steps.map((step) => (
            <StepView key={step.key} step={step} />
          ))}
        </ol>
        {answer !== undefined && (
          <div className="run-answer">
            <ModelMarkdown>{answer}</ModelMarkdown>
          </div>
        )}
        {error && (
          <p className="error-text" role="alert">
            {error.message}
          </p>
        )}
        <p className="message-foot">
          {state === 'stopped' && <span>stopped after {duration(run.durationMs ?? 0)}</span>}
          {(state === 'failed' || state === 'stopped') && <RunAgain task={task} />}
        </p>
      </ScrollArea>
    </>
  );
}

function RunAgain({ task }: { task: string }) {
  const channel = useAgent((agent) => agent.channel);
  const { run } = useAgent.getState();
  return (
    <button type="button" className="link" onClick={() => void run(channel, task)}>
      Retry
    </button>
  );
}
