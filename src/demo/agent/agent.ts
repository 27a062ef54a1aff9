import type { ChatMessage, ProgramReport, ToolCall, Usage } from '../../client';
import { complete, noAnswer } from '../store/complete';
import { tempo } from '../store/tempo';
import type { Findings, Scenario } from './scenarios';
import type { Json } from './tools';

/** One line of the visible step list. */
export type Step = ModelStep | ToolStep;

export interface ModelStep {
  kind: 'model';
  key: string;
  stage: 'plan' | 'act';
  text: string;
  running: boolean;
  simulated: boolean;
  usage?: Usage;
}

export interface ToolStep {
  kind: 'tool';
  key: string;
  name: string;
  args: Json;
  running: boolean;
  ok?: boolean;
  result?: Json;
  durationMs?: number;
}

interface AgentOptions {
  deadlineMs: number;
  scenario: Scenario;
  signal: AbortSignal;
  /** A step began or changed; steps keep their key. */
  onStep(step: Step): void;
}

const MAX_ROUNDS = 6;
const PLAN_TOKENS = 96;
const ACT_TOKENS = 256;

const SYSTEM = `You are the assistant of Skerry Station. Use the tools for every date, calculation, conversion and fact; never guess. When you have all you need, answer in one short paragraph.`;

/**
 * Plans, then lets the model call tools until it answers, all in one program with one deadline.
 * A call the tools refuse goes back to the model as the tool's message. Throws a TempoError when a
 * call fails or is aborted; the program ends either way.
 */
export async function runAgent(
  task: string,
  { deadlineMs, scenario, signal, onStep }: AgentOptions,
): Promise<{ answer: string; report: ProgramReport }> {
  // The tools and what they are made of come with the first task.
  const { runTool, TOOL_DECLARATIONS } = await import('./tools');
  const program = tempo.program({ app: 'agent', deadline: deadlineMs, kind: 'handbook' });
  const found = new ToolResults();
  const messages: ChatMessage[] = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: task },
  ];

  const ask = async (key: string, stage: ModelStep['stage'], round: number) => {
    const step: ModelStep = {
      kind: 'model',
      key,
      stage,
      text: '',
      running: true,
      simulated: false,
    };
    onStep(step);
    const planning = stage === 'plan';
    const script = scenario.rounds[Math.min(round, scenario.rounds.length - 1)];
    const reply = await complete(
      program.chat.completions,
      {
        messages: planning
          ? [
              ...messages,
              { role: 'user', content: 'First say in two sentences how you will go about it.' },
            ]
          : messages,
        stage,
        max_tokens: planning ? PLAN_TOKENS : ACT_TOKENS,
        temperature: 0.2,
        tools: planning ? undefined : TOOL_DECLARATIONS,
        simulate: planning ? { content: scenario.plan } : script(found),
      },
      {
        signal,
        onProgress: ({ content, simulated }) => onStep({ ...step, text: content, simulated }),
      },
    );
    const { content, usage, simulated } = reply;
    onStep({ ...step, text: content, usage, simulated, running: false });
    return reply;
  };

  try {
    const plan = await ask('plan', 'plan', 0);
    messages.push({ role: 'assistant', content: plan.content });
    messages.push({ role: 'user', content: 'Go ahead.' });
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const reply = await ask(`act-${round}`, 'act', round);
      if (reply.toolCalls.length === 0) {
        if (reply.content.trim() === '') throw noAnswer();
        return { answer: reply.content, report: await program.end() };
      }
      messages.push({
        role: 'assistant',
        content: reply.content === '' ? null : reply.content,
        tool_calls: reply.toolCalls,
      });
      for (const [at, call] of reply.toolCalls.entries()) {
        const result = await use(`tool-${round}-${at}`, call);
        messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(result) });
      }
    }
    return {
      answer: `No answer after ${MAX_ROUNDS} rounds of tools.`,
      report: await program.end(),
    };
  } catch (thrown) {
    await program.end().catch(() => {});
    throw thrown;
  }

  async function use(key: string, call: ToolCall): Promise<Json> {
    const { name } = call.function;
    onStep({ kind: 'tool', key, name, args: call.function.arguments, running: true });
    const { ok, result, args, durationMs } = await runTool(name, call.function.arguments);
    onStep({ kind: 'tool', key, name, args: args ?? null, ok, result, durationMs, running: false });
    if (ok) found.add(name, result);
    return ok ? result : { error: result };
  }
}

class ToolResults implements Findings {
  readonly #byTool = new Map<string, Json[]>();

  add(tool: string, result: Json): void {
    this.#byTool.set(tool, [...this.results(tool), result]);
  }

  results(tool: string): Json[] {
    return this.#byTool.get(tool) ?? [];
  }
}
