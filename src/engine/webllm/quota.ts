/** What the browser says of this page's storage, bytes; nothing where it does not say. */
export async function storageEstimate(): Promise<{ quota?: number; usage?: number }> {
  return (
    (await storage()
      ?.estimate?.()
      .catch(() => undefined)) ?? {}
  );
}

/** Differences that are not worth another try, bytes. */
const PRECISION = 1 << 20;

/**
 * How many of `bytes` more the browser would keep; undefined where that cannot be found out. Its estimate is
 * no help: Chrome's says 10 GiB whatever there is, lest a page recognizes its user by it. So it is tried:
 * a file of that length is made and dropped, which takes no time and no disk.
 */
export async function roomFor(bytes: number): Promise<number | undefined> {
  try {
    const folder = await storage()?.getDirectory();
    if (folder === undefined) return await saidRoom(bytes);
    const file = await folder.getFileHandle('tempo-room', { create: true });
    try {
      if (await fits(file, bytes)) return bytes;
      let [low, high] = [0, bytes];
      while (high - low > PRECISION) {
        const middle = Math.floor((low + high) / 2);
        if (await fits(file, middle)) low = middle;
        else high = middle;
      }
      return low;
    } finally {
      await folder.removeEntry('tempo-room').catch(() => {});
    }
  } catch {
    return saidRoom(bytes); // no such file system, or not so much of it
  }
}

async function fits(file: FileSystemFileHandle, bytes: number): Promise<boolean> {
  const writable = await file.createWritable();
  try {
    await writable.truncate(bytes);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'QuotaExceededError') return false;
    throw error;
  } finally {
    await writable.abort().catch(() => {});
  }
}

async function saidRoom(bytes: number): Promise<number | undefined> {
  const { quota, usage } = await storageEstimate();
  if (quota === undefined || usage === undefined) return undefined;
  return Math.min(bytes, Math.max(0, quota - usage));
}

function storage(): StorageManager | undefined {
  return (globalThis.navigator as Partial<Navigator> | undefined)?.storage;
}
