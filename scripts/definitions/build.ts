/**
 * `node scripts/definitions/build.ts [DIR]` compiles HL7's R4 definitions into the tables of profiles/r4/. DIR is the unpacked
 * package; without it the package is fetched into a temporary folder. The same input gives the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBindings, Terminology } from './bindings.ts';
import { buildSearchParams } from './search-params.ts';
import { buildStructures } from './structures.ts';
import { buildVitalSigns } from './vital-signs.ts';

const SOURCE = 'hl7.fhir.r4.examples@4.0.1';
const outDir = join(import.meta.dirname, '../../profiles/r4');

function withPackage(work: (packageDir: string) => void): void {
  const given = process.argv[2];
  if (given !== undefined) {
    work(given);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'r4-definitions-'));
  try {
    const packed = execFileSync('npm', ['pack', '--silent', SOURCE], { cwd: folder, encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', packed], { cwd: folder });
    work(join(folder, 'package'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

withPackage((packageDir) => {
  const bound = buildStructures(packageDir, outDir, SOURCE);
  const terminology = new Terminology(packageDir);
  const open = buildBindings(terminology, bound, outDir, SOURCE);
  buildVitalSigns(packageDir, terminology, outDir, SOURCE);
  buildSearchParams(packageDir, outDir);
  console.log(`Tables written to ${outDir}. Value sets that the package cannot list: ${open.join(', ')}.`);
});
