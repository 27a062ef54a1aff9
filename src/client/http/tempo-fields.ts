import { type Fields, isFields } from './call';
import { Problem } from './problem';

/** What Tempo adds to a request: in its body's `tempo` field, or in headers where that says nothing. */
export interface TempoFields {
  app?: string;
  /** A program's id. */
  program?: string;
  /** As it came: what it says is for the server to check. */
  slo?: Fields;
  stage?: string;
}

type Name = keyof TempoFields;

const NAMES: readonly Name[] = ['app', 'program', 'slo', 'stage'];
const MAX_LABEL = 64;

/** A body without its `tempo` field, and what that said. */
export interface Parted {
  rest: Fields;
  tempo: TempoFields;
  /** What the client calls the field that the server calls `param`. */
  place(param: string): string;
}

/** Throws a problem that names what is wrong with what Tempo adds. */
export function partTempo(body: Fields, headers: Headers): Parted {
  const { tempo, ...rest } = body;
  if (tempo !== undefined && tempo !== null && !isFields(tempo)) {
    throw bad('tempo', 'tempo must be an object of slo, app, program and stage');
  }
  const places = new Map<string, string>();
  const values: Partial<Record<Name, unknown>> = {};
  for (const [name, value] of Object.entries(tempo ?? {})) {
    if (value === undefined || value === null) continue;
    const known = NAMES.find((one) => one === name);
    if (known === undefined)
      throw bad(`tempo.${name}`, `tempo has ${NAMES.join(', ')} and no more`);
    values[known] = value;
    places.set(known, `tempo.${known}`);
  }
  for (const name of NAMES) {
    const header = headers.get(`x-tempo-${name}`);
    // What a request's body says is said for it alone; headers may be a client's defaults.
    const said = values[name] ?? (name === 'slo' || name === 'stage' ? rest[name] : undefined);
    if (header === null || (said !== undefined && said !== null)) continue;
    places.set(name, `x-tempo-${name}`);
    values[name] = name === 'slo' ? parsed(header) : header;
  }
  const fields: TempoFields = {
    app: label(values.app, places.get('app')),
    program: label(values.program, places.get('program'), 256),
    slo: values.slo === undefined ? undefined : slo(values.slo, places.get('slo')),
    stage: label(values.stage, places.get('stage')),
  };
  const place = (param: string) => {
    const [name = '', ...deeper] = param.split('.');
    return [places.get(name) ?? name, ...deeper].join('.');
  };
  return { rest, tempo: fields, place };
}

function parsed(header: string): unknown {
  try {
    return JSON.parse(header);
  } catch {
    throw bad(
      'x-tempo-slo',
      'x-tempo-slo must be JSON, such as {"class":"latency","ttft":800,"tbt":80}',
    );
  }
}

function label(value: unknown, place = '', longest = MAX_LABEL): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= longest) return value;
  throw bad(place, `${place} must be a name of 1 to ${longest} characters`);
}

function slo(value: unknown, place = ''): Fields {
  if (isFields(value)) return value;
  throw bad(place, `${place} must be an objective, such as { "class": "deadline", "ttlt": 9000 }`);
}

function bad(param: string, sentence: string): Problem {
  return new Problem(400, 'invalid_request', `${sentence}.`, { param });
}
