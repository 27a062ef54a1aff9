import type { AppLook } from '../apps';

/** Sizes of the timeline, px. The track heads beside it are laid out by the same numbers. */
export const ENGINE_HEIGHT = 48;
export const AXIS_HEIGHT = 20;
/** On narrow screens a track's head stands above its lanes. */
export const INLINE_HEAD_HEIGHT = 28;

/** How high everything is, px. */
export interface Sizes {
  /** A track with so many lanes. */
  track(lanes: number): number;
  engine: number;
  axis: number;
}

const STANDARD: Sizes = {
  // With more lanes they are lower, but no lower than can be seen.
  track: (lanes) => (lanes <= 2 ? 76 : 100),
  engine: ENGINE_HEIGHT,
  axis: AXIS_HEIGHT,
};

/** Further apps are in the engine's own track alone. */
const MOST_TRACKS = 12;

/** Above and below the lanes of a track, px; low tracks have less. */
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
  readonly engineHeight: number;
  readonly axisHeight: number;
  readonly #byApp: ReadonlyMap<string, Track>;

  constructor(apps: readonly AppLook[], lanesOf: (app: string) => number, sizes: Sizes = STANDARD) {
    const tracks: Track[] = [];
    let top = 0;
    for (const app of apps.slice(0, MOST_TRACKS)) {
      const lanes = Math.max(app.lanes, lanesOf(app.name));
      const height = sizes.track(lanes);
      tracks.push({ app, top, height, lanes });
      top += height;
    }
    this.engineHeight = sizes.engine;
    this.axisHeight = sizes.axis;
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
    return this.engineTop + this.engineHeight + this.axisHeight;
  }

  /** Where an app's lane lies, if the app has a track. `headHeight`: what the head takes of it. */
  laneBox(app: string, lane: number, headHeight: number): LaneBox | undefined {
    const track = this.#byApp.get(app);
    if (track === undefined) return undefined;
    const padding = track.height < 64 ? PADDING / 2 : PADDING;
    const height = (track.height - headHeight - 2 * padding) / track.lanes;
    return { top: track.top + headHeight + padding + lane * height, height };
  }

  equals(other: Layout): boolean {
    return (
      this.trackless === other.trackless &&
      this.engineHeight === other.engineHeight &&
      this.tracks.length === other.tracks.length &&
      this.tracks.every(({ app, lanes, height }, i) => {
        const track = other.tracks[i];
        return track.app.name === app.name && track.lanes === lanes && track.height === height;
      })
    );
  }
}
