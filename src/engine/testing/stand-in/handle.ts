import type { World } from './world';

/** An object of the runtime; it belongs to the scope it was made in until detached. */
export class Handle {
  readonly world: World;
  disposed = false;

  constructor(world: World) {
    this.world = world;
    world.objects++;
    const scope = world.scopes.at(-1);
    if (scope === undefined)
      throw new Error('Must call beginScope to use functions that returns TVM objects');
    scope.push(this);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.world.objects--;
  }

  use(): void {
    if (this.disposed) throw new Error('Object has already been disposed');
  }
}

export class ShapeTuple extends Handle {
  readonly values: number[];

  constructor(world: World, values: number[]) {
    super(world);
    this.values = values;
  }
}

export type Raw = (...args: never[]) => unknown;

/** A runtime function: an object of the runtime that can be called. */
export function packed(world: World, run: Raw): Raw & { dispose(): void } {
  const handle = new Handle(world);
  const call = (...args: unknown[]) => {
    handle.use();
    if (world.broken !== undefined) throw new Error(world.broken);
    for (const arg of args) if (arg instanceof Handle) arg.use();
    return (run as (...args: unknown[]) => unknown)(...args);
  };
  // Scopes hold handles; a function is detached by its own.
  return Object.assign(call, { dispose: () => handle.dispose(), handle });
}
