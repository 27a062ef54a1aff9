/** The dashboard as a page of its own has it: imported when a test says so. */
import * as client from '../../src/client';

declare global {
  var createTempo: (typeof client)['createTempo'];
  var importDashboard: () => Promise<typeof import('../../src/dashboard')>;
  /** Answers of so many tokens, for apps by their names. */
  var work: (tempo: client.Tempo, tokens: number, ...apps: string[]) => Promise<void>;
  /** How often any canvas was wiped, which each drawing begins with. */
  var drawings: number;
  /** The test's own. */
  var tempo: client.Tempo;
}

globalThis.createTempo = client.createTempo;
globalThis.importDashboard = () => import('../../src/dashboard');
globalThis.work = async (tempo, tokens, ...apps) => {
  await Promise.all(
    apps.map((app) =>
      tempo.app(app).chat.completions.create({
        messages: [{ role: 'user', content: 'Go on' }],
        ignore_eos: true,
        max_tokens: tokens,
      }),
    ),
  );
};

globalThis.drawings = 0;
const { clearRect } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  globalThis.drawings++;
  clearRect.apply(this, box);
};
