import { STAND_IN_MODEL, StandIn, type StandInOptions } from '../src/engine/testing/stand-in';
import { loadWebLlmEngine, type WebLlmOptions } from '../src/engine/webllm';
import type { TempoErrorJson } from '../src/scheduler';
import { TempoServer } from '../src/server';
import type { ChatCompletionParams, ChatMessage, Usage } from '../src/server/chat-types';
import type { RequestEvent, ServerState } from '../src/server/server-types';

export interface Answered {
  text: string;
  usage: Usage;
  warnings: string[];
}

/** The whole server on the WebLLM engine, with a stand-in for WebLLM that takes images. */
export class VisionService {
  readonly world: StandIn;
  readonly server: TempoServer;
  state: ServerState = { phase: 'idle' };
  /** Hears of every piece of text. */
  onText = () => {};
  readonly #texts = new Map<string, string>();
  readonly #ends = new Map<string, (event: RequestEvent) => void>();
  #ids = 0;

  private constructor(world: StandIn, options: Partial<WebLlmOptions>) {
    this.world = world;
    this.server = new TempoServer({
      engines: {
        webllm: {
          check: async () => {},
          load: ({ model, maxSequences, chatOptions }, loading) =>
            loadWebLlmEngine({
              ...loading,
              model,
              maxSequences: maxSequences ?? 4,
              chatOptions,
              webllm: world.webllm,
              gpu: world.gpu,
              kvBudgetBytes: 2 ** 20,
              ...options,
            }),
        },
      },
    });
    void this.server.listenState((state) => {
      this.state = state;
    });
    void this.server.listen((events) => {
      for (const event of events) this.#hear(event);
    });
  }

  static async of(
    standIn: StandInOptions,
    { chatOptions, ...options }: Partial<WebLlmOptions> = {},
  ): Promise<VisionService> {
    const service = new VisionService(new StandIn(standIn), options);
    const outcome = await service.server.load({
      engine: 'webllm',
      model: STAND_IN_MODEL,
      policy: 'tempo',
      chatOptions,
    });
    if (!outcome.ok) throw new Error(outcome.error.message);
    return service;
  }

  /** An answer; rejects with the request's error, as it crosses. */
  async ask(
    messages: readonly ChatMessage[],
    params: Partial<ChatCompletionParams> = {},
    id = `r${this.#ids++}`,
  ): Promise<Answered> {
    this.#texts.set(id, '');
    const end = new Promise<RequestEvent>((resolve) => this.#ends.set(id, resolve));
    const receipt = await this.server.submit({
      id,
      app: 'chat',
      slo: { class: 'best-effort' },
      params: {
        messages,
        temperature: 0.8,
        seed: 7,
        max_tokens: 24,
        ignore_eos: true,
        ...params,
      },
    });
    if (!receipt.ok) throw receipt.error;
    const event = await end;
    if (event.type !== 'done') throw (event as { error: TempoErrorJson }).error;
    return {
      text: this.#texts.get(id) ?? '',
      usage: event.usage,
      warnings: receipt.value.warnings,
    };
  }

  #hear(event: RequestEvent): void {
    if (event.type === 'delta') {
      const said = event.delta.content ?? '';
      this.#texts.set(event.id, (this.#texts.get(event.id) ?? '') + said);
      this.onText();
    } else if (event.type !== 'wait') this.#ends.get(event.id)?.(event);
  }
}
