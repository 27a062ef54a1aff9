/** One frame, ms, where there are no frames. */
const FRAME_MS = 16;

/** Calls `draw` in the next frame, once, however often it is asked for; `flush`: now, if it was asked for. */
export function eachFrame(draw: () => void): { request(): void; flush(): void } {
  let cancel: (() => void) | undefined;
  const run = () => {
    cancel = undefined;
    draw();
  };
  return {
    request() {
      cancel ??= nextFrame(run);
    },
    flush() {
      if (cancel === undefined) return;
      cancel();
      run();
    },
  };
}

/** A hidden page draws no frames, and goes on all the same. */
function nextFrame(run: () => void): () => void {
  if (typeof requestAnimationFrame === 'undefined' || document.hidden) {
    const timer = setTimeout(run, FRAME_MS);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(run);
  return () => cancelAnimationFrame(frame);
}
