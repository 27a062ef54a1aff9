import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import type { RealModelRecord } from './entry';
import type { ModelLibrary } from './library';

const TYPES: Record<string, string> = {
  wasm: 'application/wasm',
  json: 'application/json',
  js: 'text/javascript',
  html: 'text/html',
};

/** A running server for one model. */
export interface ModelServer {
  /** Without a slash at its end. */
  readonly origin: string;
  readonly record: RealModelRecord;
  close(): void;
}

/**
 * Serves a model's files and its library on this machine only, under the addresses that WebLLM builds, to
 * pages of any origin.
 *
 * @param folder the model's files, see `modelFiles`.
 * @param texts further documents by path, such as a page and its script.
 */
export async function startModelServer(
  library: ModelLibrary,
  folder: string,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<ModelServer> {
  const modelPath = `/${library.modelId}`;
  const libraryPath = `/lib/${basename(library.file)}`;
  const filesPath = `${modelPath}/resolve/main/`;
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent((request.url ?? '/').replace(/[?#].*/, ''));
    const type = TYPES[path === '/' ? 'html' : (path.split('.').at(-1) ?? '')];
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Content-Type', type ?? 'application/octet-stream');
    const text = texts.get(path);
    if (text !== undefined) {
      response.end(text);
      return;
    }
    const file =
      path === libraryPath
        ? library.file
        : path.startsWith(filesPath)
          ? join(folder, basename(path))
          : undefined;
    const size = file && (await stat(file).catch(() => undefined))?.size;
    if (!file || size === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Length', size);
    if (request.method === 'HEAD') response.end();
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    origin,
    record: {
      model: origin + modelPath,
      model_id: library.modelId,
      model_lib: origin + libraryPath,
      required_features: library.needsF16 ? ['shader-f16'] : [],
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
