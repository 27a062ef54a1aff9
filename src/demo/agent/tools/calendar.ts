import type { AgentTool } from './tool';

const DAY_MS = 86_400_000;
const DATE = '^\\d{4}-\\d{2}-\\d{2}$';

function describe(date: Date) {
  return {
    date: date.toISOString().slice(0, 10),
    weekday: date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' }),
  };
}

/** Midnight UTC of a date in the proleptic Gregorian calendar, so that no clock change interferes. */
function parse(text: string): Date {
  const date = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text)) {
    throw new Error(`There is no day ${text}.`);
  }
  return date;
}

export const clock: AgentTool = {
  name: 'clock',
  description: 'The date, weekday and time now, where the reader is.',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  async run() {
    const now = new Date();
    const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
    return { ...describe(local), time: local.toISOString().slice(11, 16) };
  },
};

export const addDays: AgentTool = {
  name: 'add_days',
  description: 'The date and weekday a number of days after a date (before it, when negative).',
  parameters: {
    type: 'object',
    properties: {
      date: { type: 'string', pattern: DATE, description: 'YYYY-MM-DD' },
      days: { type: 'integer', minimum: -36_525, maximum: 36_525 },
    },
    required: ['date', 'days'],
    additionalProperties: false,
  },
  async run({ date, days }) {
    return describe(new Date(parse(String(date)).getTime() + Number(days) * DAY_MS));
  },
};

export const daysBetween: AgentTool = {
  name: 'days_between',
  description: 'The number of days from one date to another.',
  parameters: {
    type: 'object',
    properties: {
      from: { type: 'string', pattern: DATE, description: 'YYYY-MM-DD' },
      to: { type: 'string', pattern: DATE, description: 'YYYY-MM-DD' },
    },
    required: ['from', 'to'],
    additionalProperties: false,
  },
  async run({ from, to }) {
    return Math.round((parse(String(to)).getTime() - parse(String(from)).getTime()) / DAY_MS);
  },
};
