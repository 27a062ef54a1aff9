/** `npm start [-- --port N]`: builds the page, serves it and prints its address. */
import { parseArgs } from 'node:util';
import { buildPage, servePage } from './page';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } });
const port = Number(values.port);
if (!(Number.isInteger(port) && port > 0 && port < 65536)) {
  console.error(`--port takes a number from 1 to 65535, not '${values.port}'`);
  process.exit(1);
}

await buildPage('dist');
const { url } = await servePage('dist', port);
console.log(`\nTempo is at ${url}\n`);
