import type { Arrival, Call } from '../../lab';
import type { Step } from '../agent/agent';
import { useAgent } from '../agent/agent-store';
import { QUESTIONS, replyTo } from '../chat/chat-script';
import { type Message, useChat } from '../chat/chat-store';

/** Shows one visitor of those that come, in an app's panel; the others are in the timeline alone. */
export interface Onlooker {
  /** What a call is to say. */
  text(at: number): string;
  /** Called as a call's answer grows. */
  tell(at: number, call: Call, text: string, done: boolean): void;
  end(how: 'done' | 'stopped', met?: boolean, durationMs?: number): void;
}

const UNSEEN: Onlooker = { text: () => '', tell() {}, end() {} };

let chatBusy = false;
let agentBusy = false;
let turn = 0;
/** Keys of its messages; those of the reader's count from 0. */
let key = 1_000_000_000;

/** The visitor's conversation starts anew after so many messages. */
const MOST_MESSAGES = 12;

export function onlookerOf(arrival: Arrival): Onlooker {
  if (arrival.app === 'chat' && !chatBusy) return chatVisitor();
  if (arrival.kind === 'program' && !agentBusy) return agentVisitor(arrival.deadlineMs);
  return UNSEEN;
}

function chatVisitor(): Onlooker {
  chatBusy = true;
  const question = QUESTIONS[turn++ % QUESTIONS.length];
  const answer = key++;
  const edit = (change: (messages: readonly Message[]) => readonly Message[]) =>
    useChat.setState(({ conversations }) => ({
      conversations: { ...conversations, demo: change(conversations.demo) },
    }));
  const update = (more: Partial<Message>) =>
    edit((all) => all.map((m) => (m.key === answer ? { ...m, ...more } : m)));
  edit((all) => [
    ...(all.length >= MOST_MESSAGES ? [] : all),
    { key: key++, role: 'user', text: question, state: 'done' },
    { key: answer, role: 'assistant', text: '', state: 'waiting' },
  ]);
  return {
    text: () => replyTo(question).content ?? '',
    tell(_, __, text) {
      update({ text, state: 'streaming', simulated: true });
    },
    end(how) {
      update({ state: how });
      chatBusy = false;
    },
  };
}

/** What the visitor's agent is asked, and what it says at each call. */
const TASK = 'Twelve guests arrive in 18 days and stay three nights: what do they owe together?';
const SAID = [
  'I need the fee per night from the handbook, then one multiplication for all twelve.',
  'The handbook says 23 euros per night for each guest, and 7 euros once for the landing.',
  'Twelve guests owe 828 euros for three nights and 84 for the landing: 912 euros together.',
];

function agentVisitor(deadlineMs: number): Onlooker {
  agentBusy = true;
  const startedAt = performance.now();
  const steps = new Map<number, Step>();
  const update = (more: object) =>
    useAgent.setState(({ runs }) => {
      const run = runs.demo;
      if (run === undefined || run.startedAt !== startedAt) return {};
      return { runs: { ...runs, demo: { ...run, steps: [...steps.values()], ...more } } };
    });
  useAgent.setState(({ runs }) => ({
    runs: { ...runs, demo: { task: TASK, deadlineMs, startedAt, state: 'running', steps: [] } },
  }));
  return {
    text: (at) => SAID[at % SAID.length],
    tell(at, { stage }, text, done) {
      steps.set(at, {
        kind: 'model',
        key: `call-${at}`,
        stage: stage === 'plan' ? 'plan' : 'act',
        text,
        running: !done,
        simulated: true,
      });
      update({});
    },
    end(how, met, durationMs) {
      const answer = how === 'done' ? [...steps.values()].at(-1) : undefined;
      update({
        state: how,
        met,
        durationMs: durationMs ?? performance.now() - startedAt,
        ...(answer?.kind === 'model' && { answer: SAID[SAID.length - 1] }),
      });
      agentBusy = false;
    },
  };
}
