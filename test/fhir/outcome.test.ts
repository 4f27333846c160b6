import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationOutcome } from 'fhir/r4';
import { ERRORS, type ErrorCode, StartError, VitalwireError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { outcome, outcomeOf } from '../../src/fhir/outcome.ts';
import { assertValid, validate } from '../../src/fhir/validate.ts';
import { patient } from '../support/resources.ts';

const read = (body: string): OperationOutcome => JSON.parse(body) as OperationOutcome;

test('every code of the table answers with its status and a valid OperationOutcome', () => {
  for (const [code, { status, issue }] of Object.entries(ERRORS)) {
    const answer = outcomeOf(new VitalwireError(code as ErrorCode, 'A sentence.', { expression: ['Patient.name'] }));
    assert.equal(answer.status, status);
    const body = read(answer.body);
    assert.deepEqual(validate(body as unknown as Record<string, unknown>), [], code);
    assert.deepEqual(body.issue, [
      {
        severity: 'error',
        code: issue,
        details: { text: 'A sentence.' },
        diagnostics: 'A sentence.',
        expression: ['Patient.name'],
      },
    ]);
  }
});

test('headers of the error come along, cause and private detail do not', () => {
  const error = new VitalwireError('auth.invalid', 'The token is unknown.', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    private: 'sql secret',
    cause: new Error('cause secret'),
  });
  const answer = outcomeOf(error);
  assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"');
  assert.match(answer.headers['content-type'] as string, /^application\/fhir\+json/);
  assert.ok(!JSON.stringify(answer).includes('secret'));
});

test('everything else that is thrown is the same 500', () => {
  const bodies = [
    new Error('secret'),
    new StartError('secret'),
    'secret',
    undefined,
    null,
    { status: 200, code: 'secret' },
  ].map((e) => outcomeOf(e));
  for (const answer of bodies) {
    assert.equal(answer.status, 500);
    assert.ok(!answer.body.includes('secret'));
    assert.equal(answer.body, bodies[0]?.body);
  }
  assert.deepEqual(validate(read(bodies[0]?.body as string) as unknown as Record<string, unknown>), []);
});

test('the issues of a validation are all told, to a bound', () => {
  const answer = (resource: Record<string, unknown>): OperationOutcome => {
    try {
      assertValid(resource);
    } catch (error) {
      assert.equal(outcomeOf(error).status, 422);
      return read(outcomeOf(error).body);
    }
    return assert.fail('was valid');
  };
  const two = answer(patient({ gender: 'f', shoeSize: 1 }));
  assert.deepEqual(two.issue.map((i) => [i.code, i.expression?.[0]]).sort(), [
    ['code-invalid', 'Patient.gender'],
    ['structure', 'Patient.shoeSize'],
  ]);
  const many = answer(patient({ name: Array.from({ length: 1000 }, () => null) }));
  assert.equal(many.issue.length, limits.validationIssuesMax);
});

test('a single outcome, with and without a place', () => {
  assert.deepEqual(read(outcome('information', 'informational', 'Stored.')).issue, [
    { severity: 'information', code: 'informational', details: { text: 'Stored.' }, diagnostics: 'Stored.' },
  ]);
  assert.deepEqual(read(outcome('warning', 'value', 'Odd.', 'Patient.name')).issue[0]?.expression, ['Patient.name']);
});
