/** The filter that a search is ANDed with and the check of one resource give the same answer. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { authorize } from '../../src/access/authorize.ts';
import { permits, permitsTerms } from '../../src/access/check.ts';
import type { Principal } from '../../src/access/principal.ts';
import { parseScopes } from '../../src/access/scopes.ts';
import { VitalwireError } from '../../src/base/errors.ts';
import { extract } from '../../src/fhir/extract.ts';
import { type MemoryRow, search } from '../../src/search/memory.ts';
import { type AccessFilter, ALL, type Plan } from '../../src/search/plan.ts';
import { BASE, LOINC, POOL, type Resource, resources } from '../support/arbitrary.ts';

const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Observation: {
    status: ['final', 'amended,preliminary'],
    category: ['urn:cat|vital-signs', 'vital-signs', '|vital-signs'],
    code: [`${LOINC}|8867-4`, '8867-4', `${LOINC}|`, 'urn:pipe|a\\|b'],
    subject: ['Patient/p1', 'p2', 'Device/d1', `${BASE}/Patient/p3`],
    patient: ['Patient/p1', 'p2'],
    device: ['Device/d1', 'Device/d2,Device/d3'],
    date: ['ge2026-04', 'lt2026-04-01', '2026-04-01'],
    'value-quantity': ['gt37', '37||Cel'],
    _tag: ['red', 'urn:tags|red'],
    _profile: ['http://hl7.org/fhir/StructureDefinition/vitalsigns'],
  },
  Patient: { gender: ['male'], identifier: ['urn:mrn|1', '2'], name: ['zo', 'Mül'], _id: ['p1,p2'], active: ['true'] },
  Device: { status: ['active'], patient: ['Patient/p1'], type: ['8867-4'], identifier: ['urn:mac|1'] },
  DeviceUseStatement: { device: ['Device/d1'], subject: ['Patient/p1'] },
  Condition: { patient: ['p1'], code: ['8867-4'] },
  Encounter: { status: ['finished'], subject: ['Patient/p1'] },
};
const TYPES = Object.keys(POOL);

const params = (type: string): fc.Arbitrary<string> => {
  const of = VALUES[type] ?? {};
  const one = fc
    .constantFrom(...Object.entries(of))
    .chain(([name, values]) => fc.constantFrom(...values).map((v) => `${name}=${encodeURIComponent(v)}`));
  return fc.array(one, { minLength: 1, maxLength: 2 }).map((all) => all.join('&'));
};

const scope = (...levels: string[]): fc.Arbitrary<string> =>
  fc
    .constantFrom(...TYPES)
    .chain((type) =>
      fc
        .tuple(
          fc.constantFrom(...levels),
          fc.constantFrom('rs', 'r', 'read'),
          fc.option(params(type), { nil: undefined }),
        )
        .map(([level, letters, query]) => `${level}/${type}.${letters}${query === undefined ? '' : `?${query}`}`),
    );

const who = (scopeText: string): Principal => ({
  clientId: 'c',
  admin: false,
  scopes: parseScopes(scopeText),
  scopeText,
  patient: 'p1',
});

const rowsOf = (all: readonly Resource[]): MemoryRow[] =>
  all.map((resource, i) => ({
    type: resource.resourceType,
    id: resource.id,
    version: 1,
    lastUpdated: 1_760_000_000_000 + i,
    created: i + 1,
    terms: extract(resource, BASE),
  }));

function accessFor(principal: Principal, type: string): AccessFilter | undefined {
  try {
    return authorize(principal, 'r', type, BASE);
  } catch (error) {
    assert.ok(error instanceof VitalwireError && error.code === 'auth.forbidden');
    return undefined;
  }
}

function found(access: AccessFilter, rows: readonly MemoryRow[]): Set<string> {
  const plan: Plan = { type: access.type, filter: ALL, sort: [], count: 1000, total: false };
  return new Set(search(plan, access, rows).entries.map((row) => row.id));
}

describe('filter and check', () => {
  test('agree on every resource under any mix of system scopes', () => {
    let compared = 0;
    let hidden = 0;
    fc.assert(
      fc.property(resources(), fc.array(scope('system'), { minLength: 1, maxLength: 3 }), (all, scopes) => {
        const principal = who(scopes.join(' '));
        assert.equal(principal.scopes.length, scopes.length, scopes.join(' '));
        const rows = rowsOf(all);
        for (const type of TYPES) {
          const access = accessFor(principal, type);
          if (!access) continue;
          const seen = found(access, rows);
          for (const [i, resource] of all.entries()) {
            const expected = resource.resourceType === type && seen.has(resource.id);
            assert.equal(permits(access, resource, BASE), expected, `${scopes} on ${JSON.stringify(resource)}`);
            const { terms, id, lastUpdated } = rows[i] as MemoryRow;
            assert.equal(permitsTerms(access, resource.resourceType, terms, { id, lastUpdated }), expected);
            compared++;
            if (resource.resourceType === type && !expected) hidden++;
          }
        }
      }),
      { numRuns: 400 },
    );
    assert.ok(compared > 1000 && hidden > 100, `compared ${compared}, hidden ${hidden}`);
  });

  test('under patient scopes the check never permits what the search would not find, and agrees where one resource tells', () => {
    fc.assert(
      fc.property(resources(), fc.array(scope('patient'), { minLength: 1, maxLength: 2 }), (all, scopes) => {
        const principal = who(scopes.join(' '));
        const rows = rowsOf(all);
        for (const type of TYPES) {
          const access = accessFor(principal, type);
          if (!access) continue;
          const seen = found(access, rows);
          for (const resource of all.filter((r) => r.resourceType === type)) {
            const permitted = permits(access, resource, BASE);
            if (permitted || type !== 'Device')
              assert.equal(permitted, seen.has(resource.id), JSON.stringify(resource));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

test('what is seen of another type, or with no id yet under a restriction by id, is denied', () => {
  const byId = authorize(who('system/Patient.cr?_id=p1'), 'c', 'Patient', BASE);
  assert.equal(permits(byId, { resourceType: 'Patient' }, BASE), false);
  assert.equal(permits(byId, { resourceType: 'Patient', id: 'p1' }, BASE), true);
  assert.equal(
    permits(authorize(who('system/Patient.r'), 'r', 'Patient', BASE), { resourceType: 'Device' }, BASE),
    false,
  );
});

test('a Device worn by the patient in context is seen by search; alone it proves nothing unless it names the patient', () => {
  const access = authorize(who('patient/Device.rs'), 'r', 'Device', BASE);
  const worn: Resource = { resourceType: 'Device', id: 'd1' };
  const use: Resource = {
    resourceType: 'DeviceUseStatement',
    id: 'u1',
    status: 'active',
    subject: { reference: 'Patient/p1' },
    device: { reference: 'Device/d1' },
  };
  assert.deepEqual([...found(access, rowsOf([worn, use]))], ['d1']);
  assert.equal(permits(access, worn, BASE), false);
  assert.equal(permits(access, { ...worn, patient: { reference: 'Patient/p1' } }, BASE), true);
  assert.equal(permits(access, { ...worn, patient: { reference: 'Patient/p2' } }, BASE), false);
});
