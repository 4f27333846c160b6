import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * Structured log on stdout, one JSON object a line. Fields are an allow-list by habit: ids of clients and resources, codes,
 * counts, milliseconds. Never a body, a token, a header value or a query string: search parameters are patient data.
 */
export function createLogger(level: string, toStderr = false): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: toStderr ? 2 : 1, sync: true }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
