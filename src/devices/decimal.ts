/**
 * Decimals as text, exactly. A value that is not converted is never touched; one that is goes through whole-number arithmetic,
 * so that no binary fraction comes in between. FHIR R4 datatypes.html#decimal: the precision is part of the value.
 */

/** JSON number syntax, with bounds that keep arithmetic on it cheap. */
const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/;
const TEXT_MAX = 48;

export const isDecimal = (text: string): boolean => text.length <= TEXT_MAX && DECIMAL.test(text);

/** mantissa × 10^-scale; `scale` is the number of decimals and may be negative. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly scale: number;
}

/** @param text one for which `isDecimal` holds. */
export function parseDecimal(text: string): Decimal {
  const found = DECIMAL.exec(text);
  if (!found) throw new Error(`not a decimal: ${text}`);
  const [, sign, whole, fraction = '', exponent = '0'] = found;
  return { mantissa: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length - Number(exponent) };
}

const pow10 = (n: number): bigint => 10n ** BigInt(n);

/** value × num ÷ den + offsetNum ÷ den. */
export interface Linear {
  readonly num: bigint;
  readonly den: bigint;
  readonly offset: bigint;
}

/** Division with the remainder rounded half away from zero. */
function divide(n: bigint, d: bigint): bigint {
  const negative = n < 0n !== d < 0n;
  const a = n < 0n ? -n : n;
  const b = d < 0n ? -d : d;
  const q = (2n * a + b) / (2n * b);
  return negative ? -q : q;
}

export function formatDecimal(mantissa: bigint, decimals: number): string {
  if (decimals <= 0) return String(mantissa * pow10(-decimals));
  const negative = mantissa < 0n;
  const digits = String(negative ? -mantissa : mantissa).padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  return `${negative ? '-' : ''}${digits.slice(0, cut)}.${digits.slice(cut)}`;
}

/**
 * The decimals that the source's last digit is worth after conversion: 0.1 kPa is 0.75 mm[Hg], so whole ones; 0.1 °F is
 * 0.056 °C, so one decimal. Never fewer than none: a coarse step does not round to tens.
 */
function decimalsAfter(scale: number, linear: Linear): number {
  const factor = Math.abs(Number(linear.num) / Number(linear.den));
  return Math.min(30, Math.max(0, Math.round(scale - Math.log10(factor))));
}

/** Converts and rounds to the resolution of the source. */
export function convert(text: string, linear: Linear): string {
  const { mantissa, scale } = parseDecimal(text);
  const decimals = decimalsAfter(scale, linear);
  // (mantissa / 10^scale × num + offset) / den, scaled by 10^decimals
  const up = scale >= 0 ? 1n : pow10(-scale);
  const down = scale >= 0 ? pow10(scale) : 1n;
  const top = (mantissa * up * linear.num + linear.offset * down) * pow10(decimals);
  return formatDecimal(divide(top, linear.den * down), decimals);
}

/** Multiplies exactly, without rounding, when the factor is a power of ten or a finite decimal; else 15 significant digits. */
export function scaleExactly(text: string, linear: Linear): string {
  const { mantissa, scale } = parseDecimal(text);
  let top = mantissa * linear.num;
  let decimals = scale;
  for (let i = 0; i < 20 && top % linear.den !== 0n; i++) {
    top *= 10n;
    decimals++;
  }
  return formatDecimal(divide(top, linear.den), decimals);
}

/** The exact fraction of a double's shortest decimal text, for factors that come from a table of doubles. */
export function linearOf(factor: number, offset: number): Linear {
  const f = parseDecimal(plain(factor));
  const o = parseDecimal(plain(offset));
  const scale = Math.max(f.scale, o.scale, 0);
  return {
    num: f.mantissa * pow10(scale - f.scale),
    den: pow10(scale),
    offset: o.mantissa * pow10(scale - o.scale),
  };
}

/** Twelve significant digits: what is left of a double after a conversion through base units. */
const plain = (n: number): string => String(Number(n.toPrecision(12))).replace('e+', 'e');
