/** Pages for people. They talk to the public API only. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import helmet from 'helmet';
import { homePage } from './home.ts';

export interface PagesOptions {
  readonly baseUrl: string;
}

/** The listener of every address that is not an API. */
export function pages(options: PagesOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet({ strictTransportSecurity: options.baseUrl.startsWith('https:') }));
  const home = homePage(options.baseUrl);
  app.get('/', (_req, res) => {
    res.type('html').set('cache-control', 'no-store').send(home);
  });
  app.use((req, res) => {
    res.status(404).json({ error: `There is nothing at ${req.path}. The FHIR API is at ${options.baseUrl}/fhir.` });
  });
  return app;
}
