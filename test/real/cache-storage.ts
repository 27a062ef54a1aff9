/**
 * A stand-in for the browser's `caches` that stores nothing: it remembers which addresses were added and
 * fetches them again when they are asked for, which from a local server costs nothing.
 */
export class PassThroughCaches {
  readonly #caches = new Map<string, PassThroughCache>();

  open(name: string): Promise<PassThroughCache> {
    const cache = this.#caches.get(name) ?? new PassThroughCache();
    this.#caches.set(name, cache);
    return Promise.resolve(cache);
  }

  has(name: string): Promise<boolean> {
    return Promise.resolve(this.#caches.has(name));
  }

  delete(name: string): Promise<boolean> {
    return Promise.resolve(this.#caches.delete(name));
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.#caches.keys()]);
  }
}

/** One cache of {@link PassThroughCaches}: the part of the Cache API that WebLLM uses. */
export class PassThroughCache {
  readonly #added = new Set<string>();

  async add(request: Request | string): Promise<void> {
    const url = urlOf(request);
    const response = await fetch(url, { method: 'HEAD' });
    if (!response.ok) throw new TypeError(`Cannot fetch ${url}: ${response.status}`);
    this.#added.add(url);
  }

  /** Takes the answer's word for it that there is more where it came from. */
  async put(request: Request | string, response: Response): Promise<void> {
    await response.body?.cancel();
    this.#added.add(urlOf(request));
  }

  match(request: Request | string): Promise<Response | undefined> {
    const url = urlOf(request);
    return this.#added.has(url) ? fetch(url) : Promise.resolve(undefined);
  }

  keys(): Promise<Request[]> {
    return Promise.resolve([...this.#added].map((url) => new Request(url)));
  }

  delete(request: Request | string): Promise<boolean> {
    return Promise.resolve(this.#added.delete(urlOf(request)));
  }
}

function urlOf(request: Request | string): string {
  return typeof request === 'string' ? request : request.url;
}
