/**
 * Runs `work`, and tells the longest that the event loop was held meanwhile, ms: of the time on the clock
 * and that on the processor the shorter, so that other programs on the machine do not count.
 */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let over = false;
  let wall = performance.now();
  let cpu = process.cpuUsage();
  const turn = () => {
    const wallMs = performance.now() - wall;
    const used = process.cpuUsage(cpu);
    longest = Math.max(longest, Math.min(wallMs, (used.user + used.system) / 1000));
    wall = performance.now();
    cpu = process.cpuUsage();
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 30));
  } finally {
    over = true;
  }
  return longest;
}

/** The least of up to three runs' longest blocks, ms: collections of garbage and compilations come once. */
export async function leastBlock(work: () => Promise<unknown>, boundMs: number): Promise<number> {
  let least = await longestBlock(work);
  for (let tries = 1; tries < 3 && least >= boundMs; tries++) {
    least = Math.min(least, await longestBlock(work));
  }
  return least;
}
