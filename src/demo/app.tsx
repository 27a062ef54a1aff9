import { type ReactNode, useState } from 'react';
import { AgentPanel } from './agent/agent-panel';
import { ChatPanel } from './chat/chat-panel';
import { AccountLine } from './dashboard/account-line';
import { LoadStrip } from './dashboard/engine/load-strip';
import { Numbers, Queue } from './dashboard/parts';
import { useMedia } from './design/use-media';
import { Header } from './header';
import { SummarizerPanel } from './summarizer/summarizer-panel';
import { useLesson } from './twin/lesson';
import { LessonBar } from './twin/ui/lesson-bar';
import { LifeCard } from './twin/ui/life-card';
import { PolicyStrip } from './twin/ui/policy-strip';
import { Problems } from './twin/ui/problems';
import { TwinTimelines } from './twin/ui/sides';
import { TourStrip } from './twin/ui/tour';
import { VerdictLine } from './twin/ui/verdict-line';

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
          <Problems />
          <TourStrip />
          <div className="control-strip">
            <LessonBar />
            <div className="said">
              <VerdictLine />
              <AccountLine />
            </div>
          </div>
          <Lesson />
          {tabbed ? <Tabs /> : <Columns />}
        </main>
      </div>
      {!tabbed && <Numbers />}
    </>
  );
}

/** Both timelines, and beside them every policy, or the request that is looked at. */
function Lesson() {
  const pinned = useLesson((lesson) => lesson.pinned);
  return (
    <div className="lesson">
      <TwinTimelines />
      {pinned === undefined ? <PolicyStrip /> : <LifeCard name={pinned} />}
    </div>
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
