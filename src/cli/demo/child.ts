/** A process of the demo: started with its own environment, listened to, stopped, and quoted when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../config.ts';

const LAST_WORDS = 12;
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;

export type Line = Readonly<Record<string, unknown>>;

export interface ChildOptions {
  /** For people. */
  readonly name: string;
  /** File of the program relative to this one, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Each line of JSON on stdout. */
  onLine?(line: Line): void;
  /** It ended although no one asked it to. */
  onDeath(sentence: string): void;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #options: ChildOptions;
  readonly #words: string[] = [];
  readonly #ended: Promise<void>;
  #stopping = false;
  #listening: (url: string) => void = () => undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    // Run from source or as built: the files have the ending of this one.
    const program = options.program.replace(/\.ts$/, import.meta.url.slice(import.meta.url.lastIndexOf('.')));
    this.#process = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url)), ...options.args], {
      env: childEnvironment(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.#heard(line));
    createInterface({ input: this.#process.stderr! }).on('line', (line) => this.#remember(line));
    this.#ended = new Promise((ended) => {
      this.#process.once('error', (error) => this.#remember(error.message));
      this.#process.once('close', (code, signal) => {
        if (!this.#stopping) options.onDeath(`The ${options.name} ended with ${code ?? signal}. ${this.lastWords()}`);
        ended();
      });
    });
  }

  #remember(line: string): void {
    if (line.trim() === '') return;
    this.#words.push(line);
    if (this.#words.length > LAST_WORDS) this.#words.shift();
  }

  #heard(text: string): void {
    const line = jsonObject(text);
    // A log line of no consequence is not what it died of.
    if (!line || /^(warn|error|fatal)$/.test(String(line['level']))) this.#remember(text);
    if (!line) return;
    const { msg, url } = line;
    if (msg === 'listening' && typeof url === 'string') this.#listening(url);
    this.#options.onLine?.(line);
  }

  lastWords(): string {
    return this.#words.length === 0 ? 'It said nothing.' : `Its last words:\n  ${this.#words.join('\n  ')}`;
  }

  /** Its address, once it says that it listens. @throws Error with its last words when it does not */
  listening(): Promise<string> {
    const { name } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The ${name} does not listen after ${START_MS_MAX / 1000} s. ${this.lastWords()}`)),
        START_MS_MAX,
      );
      this.#listening = (url) => {
        clearTimeout(timer);
        resolve(url);
      };
      void this.#ended.then(() => {
        clearTimeout(timer);
        reject(new Error(`The ${name} did not start. ${this.lastWords()}`));
      });
    });
  }

  /** Expects it to end, whoever tells it to. */
  dismiss(): void {
    this.#stopping = true;
  }

  async stop(): Promise<void> {
    this.dismiss();
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS_MAX);
    await this.#ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.dismiss();
    this.#process.kill('SIGKILL');
  }
}

function jsonObject(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}
