/**
 * The subset of FHIRPath that R4 SearchParameter expressions are written in: paths, unions, casts, `where` by an equal value or
 * by the type of what is referred to, `extension(url)`, an index. Parsed into flat paths; anything else is refused.
 */
export type Step =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'cast'; readonly type: string }
  | { readonly kind: 'equals'; readonly name: string; readonly value: string }
  | { readonly kind: 'refers-to'; readonly type: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'extension'; readonly url: string }
  /** `x.exists() and x != false`: true or false, always there. */
  | { readonly kind: 'present-not-false' };

/** One alternative of the union: the first step is the resource type, `%resource` or an element of the context. */
export type Path = readonly Step[];

const TOKEN = /\s*(%?[A-Za-z_]\w*|'[^']*'|\d+|!=|[().|=[\]])/y;

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`cannot read "${text.slice(at)}"`);
    found.push(match[1] as string);
  }
  return found;
}

class Parser {
  readonly #tokens: string[];
  #at = 0;
  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  all(): Path[] {
    const paths = this.#union();
    if (this.#at < this.#tokens.length) throw new Error(`"${this.#tokens[this.#at]}" is not supported here`);
    return paths;
  }

  #peek = (text: string): boolean => this.#tokens[this.#at] === text;
  #next = (): string => this.#tokens[this.#at++] ?? '';
  #take(text: string): void {
    const got = this.#next();
    if (got !== text) throw new Error(`expected "${text}", found "${got}"`);
  }

  #name(): string {
    const got = this.#next();
    if (!/^%?[A-Za-z_]\w*$/.test(got)) throw new Error(`expected a name, found "${got}"`);
    return got;
  }

  #union(): Path[] {
    const paths = this.#typed();
    while (this.#peek('|')) {
      this.#at++;
      paths.push(...this.#typed());
    }
    return paths;
  }

  #typed(): Path[] {
    const paths = this.#postfix();
    if (!this.#peek('as')) return paths;
    this.#at++;
    const type = this.#name();
    return paths.map((path) => [...path, { kind: 'cast', type }]);
  }

  #postfix(): Path[] {
    let paths: Path[];
    if (this.#peek('(')) {
      this.#at++;
      paths = this.#union();
      this.#take(')');
    } else paths = [[{ kind: 'name', name: this.#name() }]];
    for (;;) {
      let step: Step;
      if (this.#peek('[')) {
        this.#at++;
        step = { kind: 'index', index: Number(this.#next()) };
        this.#take(']');
      } else if (this.#peek('.')) {
        this.#at++;
        step = this.#member();
      } else return paths;
      paths = paths.map((path) => [...path, step]);
    }
  }

  #member(): Step {
    const name = this.#name();
    if (!this.#peek('(')) return { kind: 'name', name };
    this.#take('(');
    const step = this.#call(name);
    this.#take(')');
    return step;
  }

  #call(name: string): Step {
    if (name === 'as' || name === 'ofType') return { kind: 'cast', type: this.#name() };
    if (name === 'extension') return { kind: 'extension', url: this.#next().slice(1, -1) };
    if (name !== 'where') throw new Error(`the function ${name}() is not supported`);
    const subject = this.#name();
    if (subject !== 'resolve') {
      this.#take('=');
      return { kind: 'equals', name: subject, value: this.#next().slice(1, -1) };
    }
    this.#take('(');
    this.#take(')');
    this.#take('is');
    return { kind: 'refers-to', type: this.#name() };
  }
}

/** @throws Error with a sentence when the expression is outside the subset. */
export function parsePaths(expression: string): Path[] {
  const presence = /^([\w.]+)\.exists\(\) and \1 != false$/.exec(expression);
  if (presence) return parsePaths(presence[1] as string).map((path) => [...path, { kind: 'present-not-false' }]);
  return new Parser(expression).all();
}
