import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

type Headers = Record<string, string | undefined>;

export interface Site {
  folder: string;
  /** The path it is under, with a slash at either end. Default: `/`. */
  base?: string;
  /** Sent with every answer, or with that for a path. */
  headers?: Headers | ((path: string) => Headers);
  /** Answers every unknown path with the page, as servers of single-page apps do. */
  fallback?: boolean;
}

export interface ServedSite {
  url: string;
  close(): Promise<void>;
}

/** Serves a folder's files at a free port of this machine. */
export async function serveFolder(site: Site): Promise<ServedSite> {
  const { folder, base = '/', headers = {}, fallback = false } = site;
  const answer: RequestListener = (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname);
    const file = path.startsWith(base) ? fileAt(folder, path.slice(base.length)) : undefined;
    const sent = file ?? (fallback ? fileAt(folder, '') : undefined);
    const extra = typeof headers === 'function' ? headers(path) : headers;
    if (sent === undefined) return response.writeHead(404, extra).end('Not found');
    const type = TYPES[extname(sent)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...extra });
    createReadStream(sent).pipe(response);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${base}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The file at a path of the folder; a folder's is its `index.html`. */
function fileAt(folder: string, path: string): string | undefined {
  const file = join(folder, normalize(`/${path}`));
  return [file, join(file, 'index.html')].find(
    (candidate) => existsSync(candidate) && statSync(candidate).isFile(),
  );
}
