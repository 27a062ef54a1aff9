import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';

/** Hears what the bench's commands say in the tests of a file (or of one `describe`), and gives them a folder. */
export function hearCommands(): { said: string[]; folder: () => string } {
  const said: string[] = [];
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-'));
    for (const level of ['log', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((text) => void said.push(String(text)));
    }
  });
  afterEach(() => {
    said.length = 0;
    process.exitCode = 0;
  });
  afterAll(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });
  return { said, folder: () => folder };
}
