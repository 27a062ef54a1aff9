import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chatConfig } from './chat-config';
import type { LibraryMetadata, ModelLibrary } from './library';
import { writeRandomWeights } from './random-weights';
import { tokenizerFile, vocabularyFor } from './tokenizer-file';

/** Changes whenever what is written changes, so that old files are not taken for new ones. */
const SEED = 'tempo 3';

/**
 * The folder with everything WebLLM downloads for a model beside its library: random weights, tokenizer and
 * chat config. Written once per library under TEMPO_REAL_CACHE (the system's temporary folder if unset).
 */
export async function modelFiles(library: ModelLibrary): Promise<string> {
  const root = process.env.TEMPO_REAL_CACHE ?? join(tmpdir(), 'tempo-real');
  const metadata = JSON.stringify(library.metadata);
  const key = createHash('sha256').update(SEED).update(metadata).digest('hex').slice(0, 12);
  const folder = join(root, `${library.modelId}-${key}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    await writeModelFiles(library.metadata, unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

async function writeModelFiles(metadata: LibraryMetadata, folder: string): Promise<void> {
  const vocabulary = vocabularyFor(metadata.model_type, vocabSizeOf(metadata));
  await writeFile(join(folder, 'mlc-chat-config.json'), chatConfig(metadata, vocabulary));
  await writeFile(join(folder, 'tokenizer.json'), tokenizerFile(vocabulary));
  await writeRandomWeights(metadata, vocabulary.size, SEED, folder);
}

/** Some libraries leave the vocabulary's size open; then it is the model's real one, GPT-2's if unknown. */
function vocabSizeOf(metadata: LibraryMetadata): number {
  const embedding = metadata.params.find(({ name }) =>
    /embed_tokens|wte|embd|embeddings/.test(name),
  );
  const size = embedding?.shape[0];
  if (typeof size === 'number') return size;
  return metadata.model_type.startsWith('qwen') ? 151_936 : 50_257;
}
