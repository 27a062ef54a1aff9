import type { EventHandler } from './types';

/** An `on…` attribute: a listener that can be replaced (html.spec.whatwg.org#event-handlers). */
export class HandlerAttribute<Target extends EventTarget, Kind extends Event = Event> {
  readonly #target: Target;
  readonly #type: string;
  #handler: EventHandler<Target, Kind> = null;
  #listens = false;

  constructor(target: Target, type: string) {
    this.#target = target;
    this.#type = type;
  }

  get value(): EventHandler<Target, Kind> {
    return this.#handler;
  }

  set value(handler: EventHandler<Target, Kind>) {
    this.#handler = typeof handler === 'function' ? handler : null;
    if (this.#listens || this.#handler === null) return;
    this.#listens = true;
    this.#target.addEventListener(this.#type, (event) =>
      this.#handler?.call(this.#target, event as Kind),
    );
  }
}
