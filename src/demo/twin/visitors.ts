import type { ChatCompletionParams, Completions, Tempo } from '../../client';
import type { Arrival, Call } from '../../lab';
import { type AppName, isAppName } from '../design/apps';
import { complete, errorOf, isAbort } from '../store/complete';
import { pause } from '../store/pause';
import type { Prompts } from './prompts';
import { type Onlooker, onlookerOf } from './visitor';

/** Hears under which id the engine knows what it is asked: a request, a program, or which call of it. */
type Named = (id: string, arrival: Arrival, call?: number) => void;

/**
 * Asks the live engine what arrives, whatever it is busy with: nobody waits for another's answer. Who is
 * kept waiting too long leaves.
 */
export class Visitors {
  readonly #tempo: Tempo;
  readonly #prompts: Prompts;
  readonly #named: Named;
  #controller = new AbortController();
  /** Calls that are on their way and have no id yet. */
  #unnamed = 0;

  constructor(tempo: Tempo, prompts: Prompts, named: Named) {
    this.#tempo = tempo;
    this.#prompts = prompts;
    this.#named = named;
  }

  get unnamed(): number {
    return this.#unnamed;
  }

  /** All leave at once. */
  dismiss(): void {
    this.#controller.abort();
    this.#controller = new AbortController();
  }

  async send(arrival: Arrival): Promise<void> {
    const onlooker = onlookerOf(arrival);
    const { signal } = this.#controller;
    try {
      if (arrival.kind === 'program') await this.#run(arrival, onlooker, signal);
      else await this.#ask(arrival, onlooker, signal);
    } catch (thrown) {
      onlooker.end('stopped');
      // Who leaves, and what the engine fails of, is told elsewhere; a wrong request would be the page's fault.
      if (!isAbort(thrown) && errorOf(thrown).code === 'invalid_request') throw thrown;
    }
  }

  async #ask(arrival: Arrival & { kind: 'request' }, onlooker: Onlooker, all: AbortSignal) {
    const { app, id, call, patienceMs = Number.POSITIVE_INFINITY } = arrival;
    if (!isAppName(app)) return;
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    let timer = setTimeout(leave, patienceMs);
    const told = () => {
      clearTimeout(timer);
      timer = setTimeout(leave, patienceMs);
    };
    try {
      await this.#call(this.#tempo.app(app).chat.completions, {
        app,
        id,
        at: 0,
        call,
        onlooker,
        told,
        signal: AbortSignal.any([all, leaving.signal]),
        named: (requestId) => this.#named(requestId, arrival),
      });
      onlooker.end('done');
    } finally {
      clearTimeout(timer);
    }
  }

  async #run(arrival: Arrival & { kind: 'program' }, onlooker: Onlooker, all: AbortSignal) {
    const { id, app, deadlineMs, patienceMs = Number.POSITIVE_INFINITY, stages } = arrival;
    if (!isAppName(app)) return;
    const leaving = new AbortController();
    const timer = setTimeout(() => leaving.abort(), patienceMs);
    const signal = AbortSignal.any([all, leaving.signal]);
    const program = this.#tempo.program({ app, deadline: deadlineMs, kind: 'visitor' });
    this.#named(program.id, arrival);
    try {
      for (const [at, { calls, thinkMs }] of stages.entries()) {
        await pause(thinkMs, signal);
        const { completions } = program.chat;
        for (const call of calls) {
          await this.#call(completions, {
            app,
            id,
            at,
            call,
            onlooker,
            told: () => {},
            signal,
            named: (requestId) => this.#named(requestId, arrival, at),
          });
        }
      }
      const { met, durationMs } = await program.end();
      onlooker.end('done', met, durationMs);
    } catch (thrown) {
      await program.end().catch(() => {});
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  async #call(
    completions: Completions,
    { app, id, at, call, onlooker, told, signal, named }: Asked,
  ): Promise<void> {
    this.#unnamed++;
    let known = false;
    const onStart = (requestId: string) => {
      known = true;
      this.#unnamed--;
      named(requestId);
    };
    try {
      const params = await this.#params(app, id, call, onlooker.text(at));
      signal.throwIfAborted();
      const reply = await complete(completions, params, {
        signal,
        onStart,
        onProgress: ({ content }) => {
          told();
          onlooker.tell(at, call, content, false);
        },
      });
      onlooker.tell(at, call, reply.content, true);
    } finally {
      if (!known) this.#unnamed--;
    }
  }

  async #params(
    app: AppName,
    id: string,
    call: Call,
    text: string,
  ): Promise<ChatCompletionParams & { stream?: true }> {
    const { stage, promptTokens, outputTokens, maxTokens } = call;
    const messages = await this.#prompts.of(app, id, promptTokens);
    const { state } = this.#tempo;
    if (state.phase === 'ready' && state.engine.kind === 'simulated') {
      const content = this.#prompts.reply(text, outputTokens);
      return { messages, stage, max_tokens: maxTokens, simulate: { content } };
    }
    // A real model does not know how long its answer is to be: it is cut there.
    return { messages, stage, max_tokens: outputTokens, ignore_eos: true };
  }
}

interface Asked {
  app: AppName;
  id: string;
  /** Which call of a program. */
  at: number;
  call: Call;
  onlooker: Onlooker;
  /** Called as tokens come. */
  told: () => void;
  signal: AbortSignal;
  named: (requestId: string) => void;
}
