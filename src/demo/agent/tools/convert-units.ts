import type { AgentTool } from './tool';

/** Units by dimension, as multiples of one of them. */
const UNITS: Record<string, Record<string, number>> = {
  length: {
    m: 1,
    cm: 0.01,
    km: 1000,
    ft: 0.3048,
    in: 0.0254,
    mi: 1609.344,
    nmi: 1852,
  },
  mass: { kg: 1, g: 0.001, lb: 0.45359237, oz: 0.028349523125, t: 1000 },
  volume: { l: 1, ml: 0.001, 'US gal': 3.785411784, 'UK gal': 4.54609, m3: 1000 },
  speed: { 'm/s': 1, 'km/h': 1 / 3.6, kn: 1852 / 3600, mph: 0.44704 },
  time: { s: 1, min: 60, h: 3600, d: 86_400 },
};

const NAMES = Object.values(UNITS).flatMap((units) => Object.keys(units));

export const convertUnits: AgentTool = {
  name: 'convert_units',
  description:
    'Converts a value between two units of one kind (length, mass, volume, speed, time).',
  parameters: {
    type: 'object',
    properties: {
      value: { type: 'number' },
      from: { enum: NAMES },
      to: { enum: NAMES },
    },
    required: ['value', 'from', 'to'],
    additionalProperties: false,
  },
  async run({ value, from, to }) {
    const units = Object.values(UNITS).find((known) => String(from) in known);
    if (units === undefined || !(String(to) in units)) {
      throw new Error(`${String(from)} and ${String(to)} measure different things.`);
    }
    return Number(((Number(value) * units[String(from)]) / units[String(to)]).toPrecision(6));
  },
};
