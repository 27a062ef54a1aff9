export interface Block {
  /** The heading that it stands under. */
  section: string;
  /** What the fence says: `ts`, `html`, `sh`, … */
  language: string;
  /** The file that the line above names, and nothing else. */
  file?: string;
  text: string;
}

/** The fenced blocks of a guide. */
export function blocksOf(guide: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  const parts =
    /^#+ (?<heading>.+)$|(?:^`(?<file>[^`]+)`\n\n)?^```(?<language>\w*)\n(?<text>[\s\S]*?)^```$/gm;
  for (const { groups = {} } of guide.matchAll(parts)) {
    const { heading, file, language, text } = groups;
    if (heading !== undefined) section = heading;
    else blocks.push({ section, language, text, ...(file && { file }) });
  }
  return blocks;
}
