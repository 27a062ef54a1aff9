import { Component, type ReactNode, Suspense, useState } from 'react';
import { createTempo } from '../../src/client';
import {
  TempoProvider,
  TempoReady,
  useChat,
  useCompletion,
  useMetrics,
  useSnapshot,
  useTempo,
  useTempoReady,
  useTempoState,
} from '../../src/react';

const SIMULATED = { engine: 'simulated' } as const;

/** Half a minute of it: it ends in time only where it is stopped. */
const LONG = 'Every feature of this page shares one model. '.repeat(240);

/** Counts how often a component has rendered, for a test to read. */
const renders: Record<string, number> = {};

declare global {
  var rendersOf: (name: string) => number;
}

globalThis.rendersOf = (name) => renders[name] ?? 0;

function count(name: string): void {
  renders[name] = (renders[name] ?? 0) + 1;
}

function Button({ name, onClick }: { name: string; onClick: () => unknown }) {
  return (
    <button type="button" onClick={() => void onClick()}>
      {name}
    </button>
  );
}

function Phase() {
  return <output aria-label="Phase">{useTempoState((state) => state.phase)}</output>;
}

/** How many requests hold pages, and how many pages are neither free nor kept as prefixes. */
function Memory() {
  const memory = useSnapshot((snapshot) => ({
    live: (snapshot?.live.resident ?? 0) + (snapshot?.live.waiting ?? 0),
    pages: snapshot ? snapshot.kv.totalPages - snapshot.kv.freePages : 0,
  }));
  return (
    <output aria-label="Memory">
      {memory.live} live, {memory.pages} pages
    </output>
  );
}

function ChatView() {
  const chat = useChat({ app: 'chat', system: 'Answer briefly.', stage: 'reply' });
  const { messages, status, error, sendMessage, regenerate, stop, setMessages } = chat;
  return (
    <section>
      <output aria-label="Status">{status}</output>
      {error && <p role="alert">{error.code}</p>}
      <ol>
        {messages.map(({ id, role, content, finish_reason }) => (
          <li key={id} className={role} data-finish={finish_reason}>
            {content}
          </li>
        ))}
      </ol>
      <Button
        name="Greet"
        onClick={() => sendMessage('Hello', { simulate: { content: 'Good morning to you all.' } })}
      />
      <Button
        name="Ask"
        onClick={() => sendMessage('Go on', { simulate: { content: LONG }, max_tokens: 3000 })}
      />
      <Button name="Ask wrongly" onClick={() => sendMessage('Go on', { temperature: -1 })} />
      <Button
        name="Retry"
        onClick={() => regenerate({ simulate: { content: 'Here is the answer.' } })}
      />
      <Button name="Stop" onClick={stop} />
      <Button name="Clear" onClick={() => setMessages([])} />
    </section>
  );
}

function Chat() {
  const [open, setOpen] = useState(true);
  const [shown, setShown] = useState(true);
  return (
    <>
      <Button name="Provider" onClick={() => setOpen(!open)} />
      <Button name="Chat" onClick={() => setShown(!shown)} />
      {open && (
        <TempoProvider options={SIMULATED}>
          <Phase />
          <Memory />
          {shown && <ChatView />}
        </TempoProvider>
      )}
    </>
  );
}

function Model({ name }: { name: string }) {
  const model = useTempoState((state) => (state.phase === 'ready' ? state.engine.model : ''));
  return <output aria-label={name}>{model}</output>;
}

function Two() {
  return (
    <TempoProvider options={SIMULATED}>
      <Model name="First" />
      <TempoProvider options={{ engine: 'simulated', model: 'desktop-gpu' }}>
        <Model name="Second" />
      </TempoProvider>
    </TempoProvider>
  );
}

function Swap() {
  const [tempos] = useState(() => [
    createTempo(SIMULATED),
    createTempo({ engine: 'simulated', model: 'desktop-gpu' }),
  ]);
  const [at, setAt] = useState(0);
  return (
    <>
      <Button name="Swap" onClick={() => setAt(1 - at)} />
      <TempoProvider tempo={tempos[at]}>
        <Model name="Model" />
        <Memory />
        <ChatView />
      </TempoProvider>
    </>
  );
}

class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <>
        <p role="alert">{this.state.error.message}</p>
        <Repair onDone={() => this.setState({ error: undefined })} />
      </>
    );
  }
}

function Repair({ onDone }: { onDone: () => void }) {
  const tempo = useTempo();
  return <Button name="Load another" onClick={() => tempo.load(SIMULATED).then(onDone)} />;
}

function Ready() {
  const { state } = useTempoReady();
  return <output aria-label="Ready">{state.phase}</output>;
}

function Suspended() {
  return (
    <TempoProvider options={SIMULATED}>
      <Suspense fallback={<p>Loading</p>}>
        <Ready />
      </Suspense>
    </TempoProvider>
  );
}

function Failing() {
  return (
    <TempoProvider options={{ engine: 'webllm', model: 'abacus-q4' }}>
      <Boundary>
        <Suspense fallback={<p>Loading</p>}>
          <Ready />
        </Suspense>
      </Boundary>
    </TempoProvider>
  );
}

function Gate() {
  return (
    <TempoProvider options={SIMULATED}>
      <TempoReady fallback={<p>Loading</p>}>
        <Ready />
      </TempoReady>
      <Phase />
    </TempoProvider>
  );
}

/** Asks without an end, so that there are snapshots. */
function Busy() {
  const tempo = useTempo();
  const ask = () =>
    tempo.app('busy').chat.completions.create({
      messages: [{ role: 'user', content: 'Go on' }],
      ignore_eos: true,
      max_tokens: 200,
    });
  return <Button name="Work" onClick={ask} />;
}

function Watching() {
  return (
    <TempoProvider options={SIMULATED}>
      <Phase />
      <Busy />
      <Finished />
      <Steps />
    </TempoProvider>
  );
}

function Finished() {
  count('Finished');
  const { finished } = useMetrics((metrics) => ({
    finished: metrics?.byApp.busy?.finished ?? 0,
  }));
  return <output aria-label="Finished">{finished}</output>;
}

function Steps() {
  count('Steps');
  const steps = useMetrics((metrics) => metrics?.steps ?? 0, { intervalMs: 50 });
  return <output aria-label="Steps">{steps}</output>;
}

function Complete() {
  const { completion, complete, status } = useCompletion({ app: 'complete' });
  const [whole, setWhole] = useState<string>();
  const ask = (content: string) =>
    complete('Say it', { simulate: { content } }).then((text) => setWhole(text));
  return (
    <>
      <output aria-label="Status">{status}</output>
      <output aria-label="Completion">{completion}</output>
      <output aria-label="Whole">{whole}</output>
      <Button name="One" onClick={() => ask('The first answer.')} />
      <Button name="Two" onClick={() => ask('The second answer.')} />
    </>
  );
}

const within = (Scene: () => ReactNode) => () => (
  <TempoProvider options={SIMULATED}>
    <Scene />
  </TempoProvider>
);

export const SCENES: Record<string, () => ReactNode> = {
  chat: Chat,
  two: Two,
  swap: Swap,
  suspended: Suspended,
  failing: Failing,
  gate: Gate,
  watching: Watching,
  complete: within(Complete),
};
