import type { AppLook } from '../apps';

/** Sizes of the timeline, px. The track heads beside it are laid out by the same numbers. */
export const ENGINE_HEIGHT = 48;
export const AXIS_HEIGHT = 20;
/** On narrow screens a track's head stands above its lanes. */
export const INLINE_HEAD_HEIGHT = 28;

/** Further apps are in the engine's own track alone. */
const MOST_TRACKS = 12;

const PADDING = 6;

/** One app's stretch of the timeline. */
export interface Track {
  readonly app: AppLook;
  readonly top: number;
  readonly height: number;
  readonly lanes: number;
}

export interface LaneBox {
  top: number;
  height: number;
}

/** Where everything on the timeline lies. */
export class Layout {
  readonly tracks: readonly Track[];
  /** Apps that have no track. */
  readonly trackless: number;
  readonly #byApp: ReadonlyMap<string, Track>;

  constructor(apps: readonly AppLook[], lanesOf: (app: string) => number) {
    const tracks: Track[] = [];
    let top = 0;
    for (const app of apps.slice(0, MOST_TRACKS)) {
      const lanes = Math.max(app.lanes, lanesOf(app.name));
      const height = heightOf(lanes);
      tracks.push({ app, top, height, lanes });
      top += height;
    }
    this.tracks = tracks;
    this.trackless = apps.length - tracks.length;
    this.#byApp = new Map(tracks.map((track) => [track.app.name, track]));
  }

  /** The y of the engine's own track. */
  get engineTop(): number {
    const last = this.tracks.at(-1);
    return last === undefined ? 0 : last.top + last.height;
  }

  get height(): number {
    return this.engineTop + ENGINE_HEIGHT + AXIS_HEIGHT;
  }

  /** Where an app's lane lies, if the app has a track. `headHeight`: what the head takes of it. */
  laneBox(app: string, lane: number, headHeight: number): LaneBox | undefined {
    const track = this.#byApp.get(app);
    if (track === undefined) return undefined;
    const height = (track.height - headHeight - 2 * PADDING) / track.lanes;
    return { top: track.top + headHeight + PADDING + lane * height, height };
  }

  equals(other: Layout): boolean {
    return (
      this.trackless === other.trackless &&
      this.tracks.length === other.tracks.length &&
      this.tracks.every(({ app, lanes }, i) => {
        const track = other.tracks[i];
        return track.app.name === app.name && track.lanes === lanes;
      })
    );
  }
}

/** With more lanes they are lower, but no lower than can be seen. */
function heightOf(lanes: number): number {
  return lanes <= 2 ? 76 : 100;
}
