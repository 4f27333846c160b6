import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorize, isUnrestricted, mayEver, narrow, scopeMistake, unrestricted } from '../../src/access/authorize.ts';
import { compartmentParams } from '../../src/access/compartment.ts';
import type { Letter, Principal } from '../../src/access/principal.ts';
import { isAdministrator, LETTERS, parseScope, parseScopes } from '../../src/access/scopes.ts';
import { VitalwireError } from '../../src/base/errors.ts';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import { searchParam } from '../../src/fhir/search-params.ts';

const BASE = 'https://vitalwire.example/fhir';

function principal(scopeText: string, more: Partial<Principal> = {}): Principal {
  const scopes = parseScopes(scopeText);
  return Object.freeze({ clientId: 'c', admin: isAdministrator(scopes), scopes, scopeText, ...more });
}

function refusal(who: Principal, letter: Letter, type: string): string {
  try {
    authorize(who, letter, type, BASE);
  } catch (error) {
    assert.ok(error instanceof VitalwireError);
    assert.equal(error.code, 'auth.forbidden');
    assert.equal(error.status, 403);
    return error.message;
  }
  assert.fail(`${who.scopeText} permits ${letter} of ${type}`);
}
const filterOf = (who: Principal, letter: Letter, type: string) => authorize(who, letter, type, BASE).filter;

describe('authorize', () => {
  test('nothing is permitted but what a scope names, and the sentence is always the same', () => {
    const who = principal('system/Observation.r');
    assert.equal(isUnrestricted(authorize(who, 'r', 'Observation', BASE)), true);
    const sentences = new Set<string>();
    for (const letter of LETTERS)
      for (const type of resourceTypes())
        if (letter !== 'r' || type !== 'Observation') sentences.add(refusal(who, letter, type));
    assert.equal(sentences.size, 1);
    assert.doesNotMatch([...sentences][0] as string, /Observation|Patient/);
  });

  test('an administrator may do everything but write AuditEvents, and nothing with what is no type', () => {
    const who = principal('system/*.cruds');
    for (const letter of LETTERS) {
      for (const type of resourceTypes())
        if (type === 'AuditEvent' && 'cud'.includes(letter)) refusal(who, letter, type);
        else assert.equal(isUnrestricted(authorize(who, letter, type, BASE)), true, `${letter} ${type}`);
      refusal(who, letter, 'Observatory');
      refusal(who, letter, '*');
    }
    assert.equal(mayEver(who, 'c', 'AuditEvent'), false);
    assert.equal(mayEver(who, 's', 'AuditEvent'), true);
  });

  test('the same object for the same question while the principal lives, another for another principal', () => {
    const a = principal('system/Observation.rs?status=final');
    const b = principal('system/Observation.rs?status=final');
    assert.equal(authorize(a, 'r', 'Observation', BASE), authorize(a, 'r', 'Observation', BASE));
    assert.notEqual(authorize(a, 'r', 'Observation', BASE), authorize(b, 'r', 'Observation', BASE));
    assert.notEqual(
      authorize(a, 'r', 'Observation', BASE),
      authorize(a, 'r', 'Observation', 'https://other.example/fhir'),
    );
    assert.ok(Object.isFrozen(authorize(a, 'r', 'Observation', BASE)));
  });

  test('several scopes are ORed, several restrictions of one ANDed; a broad one makes the narrow ones idle', () => {
    const narrowOnes = principal('system/Observation.rs?status=final&code=x system/Observation.s?status=amended');
    assert.equal(filterOf(narrowOnes, 's', 'Observation').op, 'or');
    assert.equal(filterOf(narrowOnes, 'r', 'Observation').op, 'and');
    const broad = principal('system/Observation.rs?status=final system/*.r');
    assert.equal(filterOf(broad, 'r', 'Observation').op, 'all');
    assert.notEqual(filterOf(broad, 's', 'Observation').op, 'all');
  });

  test('a restriction that cannot be enforced opens nothing', () => {
    const who = principal('system/Observation.rs?date=soon');
    refusal(who, 'r', 'Observation');
    assert.match(scopeMistake(parseScope('system/Observation.rs?date=soon')!, BASE) ?? '', /date/);
    assert.equal(scopeMistake(parseScope('system/Observation.rs?date=ge2026')!, BASE), undefined);
    assert.equal(scopeMistake(parseScope('system/*.rs?_tag=red')!, BASE), undefined);
  });

  test('narrow ANDs and never widens', () => {
    const access = authorize(principal('system/Observation.r?status=final'), 'r', 'Observation', BASE);
    const less = narrow(access, { op: 'id', ids: ['1'] });
    assert.deepEqual(less.filter, { op: 'and', of: [access.filter, { op: 'id', ids: ['1'] }] });
    assert.deepEqual(narrow(access, { op: 'all' }).filter, access.filter);
    assert.equal(unrestricted('Patient'), unrestricted('Patient'));
  });
});

describe('patient scopes', () => {
  const mine = principal('patient/*.cruds', { patient: 'p1' });
  const about = (param: string) => ({ op: 'reference', param, type: 'Patient', id: 'p1' });

  test('without a patient in context they open nothing', () => {
    for (const letter of LETTERS) refusal(principal('patient/*.cruds'), letter, 'Observation');
  });

  test('by subject and patient only: never by performer', () => {
    assert.deepEqual(filterOf(mine, 'r', 'Observation'), about('subject'));
    assert.deepEqual(filterOf(mine, 's', 'Condition'), about('patient'));
    assert.deepEqual(filterOf(mine, 'r', 'Coverage'), about('beneficiary'));
    assert.doesNotMatch(JSON.stringify(filterOf(mine, 'r', 'Observation')), /performer/);
  });

  test('every parameter of the compartment exists and leads to a Patient', () => {
    assert.ok(compartmentParams.size > 50);
    for (const [type, code] of compartmentParams) {
      const param = searchParam(type, code);
      assert.equal(param?.type, 'reference', `${type} ${code}`);
      assert.ok(param?.targets.includes('Patient'), `${type} ${code}`);
    }
  });

  test('the patient itself by id, never created', () => {
    assert.deepEqual(filterOf(mine, 'r', 'Patient'), { op: 'id', ids: ['p1'] });
    refusal(mine, 'c', 'Patient');
  });

  test('a Device by Device.patient or a DeviceUseStatement, its metrics by their source', () => {
    const device = {
      op: 'or',
      of: [about('patient'), { op: 'has', type: 'DeviceUseStatement', param: 'device', filter: about('subject') }],
    };
    assert.deepEqual(filterOf(mine, 's', 'Device'), device);
    assert.deepEqual(filterOf(mine, 'r', 'DeviceMetric'), {
      op: 'chain',
      param: 'source',
      type: 'Device',
      filter: device,
    });
  });

  test('shared types are read, never written; what is in no compartment is closed', () => {
    for (const type of ['Practitioner', 'Organization', 'DeviceDefinition', 'ValueSet']) {
      assert.equal(filterOf(mine, 'r', type).op, 'all');
      for (const letter of ['c', 'u', 'd'] as const) refusal(mine, letter, type);
    }
    for (const type of ['Group', 'Person', 'Bundle', 'Binary', 'Task', 'Provenance', 'StructureDefinition'])
      for (const letter of LETTERS) refusal(mine, letter, type);
  });

  test('the audit trail only when it is asked for by name', () => {
    refusal(mine, 'r', 'AuditEvent');
    assert.deepEqual(
      filterOf(principal('patient/AuditEvent.rs', { patient: 'p1' }), 'r', 'AuditEvent'),
      about('patient'),
    );
  });

  test('a granular one is both', () => {
    const who = principal('patient/Observation.rs?status=final', { patient: 'p1' });
    const filter = filterOf(who, 'r', 'Observation');
    assert.equal(filter.op, 'and');
    assert.deepEqual(filter.op === 'and' && filter.of[0], about('subject'));
  });

  test('user scopes: of a patient the same, of a practitioner and of nobody nothing', () => {
    const scope = 'user/*.cruds';
    assert.deepEqual(filterOf(principal(scope, { fhirUser: 'Patient/p1' }), 'r', 'Observation'), about('subject'));
    refusal(principal(scope, { fhirUser: 'Practitioner/p1' }), 'r', 'Observation');
    refusal(principal(scope, { fhirUser: 'Practitioner/p1' }), 'r', 'Practitioner');
    refusal(principal(scope, { fhirUser: 'Patient/../p1' }), 'r', 'Observation');
    refusal(principal(scope, { patient: 'p1' }), 'r', 'Observation');
  });
});
