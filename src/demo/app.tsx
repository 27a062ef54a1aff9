import { type ReactNode, useState } from 'react';
import { AgentPanel } from './agent/agent-panel';
import { ChatPanel } from './chat/chat-panel';
import { AccountLine } from './dashboard/account-line';
import { LoadStrip } from './dashboard/engine/load-strip';
import { Numbers, Queue, Timeline } from './dashboard/parts';
import { PolicySwitch } from './dashboard/policy-switch';
import { useMedia } from './design/use-media';
import { Header } from './header';
import { SummarizerPanel } from './summarizer/summarizer-panel';

const PANELS: readonly { name: string; label: string; content: ReactNode }[] = [
  { name: 'chat', label: 'Chat', content: <ChatPanel /> },
  { name: 'agent', label: 'Agent', content: <AgentPanel /> },
  { name: 'summarizer', label: 'Summarizer', content: <SummarizerPanel /> },
  { name: 'queue', label: 'Queue', content: <Queue /> },
  { name: 'numbers', label: 'Numbers', content: <Numbers /> },
];

export function App() {
  const tabbed = useMedia('(max-width: 899px)');
  return (
    <>
      <div className="screen">
        <Header />
        <LoadStrip />
        <main>
          <div className="control-strip">
            <PolicySwitch />
            <AccountLine />
          </div>
          <Timeline />
          {tabbed ? <Tabs /> : <Columns />}
        </main>
      </div>
      {!tabbed && <Numbers />}
    </>
  );
}

function Columns() {
  return (
    <div className="columns">
      <ChatPanel />
      <AgentPanel />
      <SummarizerPanel />
      <Queue />
    </div>
  );
}

/** On narrow screens one panel at a time; the apps behind it go on. */
function Tabs() {
  const [shown, setShown] = useState('chat');
  return (
    <div className="tabs">
      <fieldset className="tab-list">
        <legend className="hidden-text">Panel to show</legend>
        {PANELS.map(({ name, label }) => (
          <label key={name} data-app={name}>
            <input
              type="radio"
              name="panel"
              checked={name === shown}
              onChange={() => setShown(name)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      {PANELS.find(({ name }) => name === shown)?.content}
    </div>
  );
}
