/** Filter criteria: spellings, AND, what is refused. Subscriptions R5 Backport, filter criteria; CONTRACT §7 topic filters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { extract } from '../../src/fhir/extract.ts';
import { matches } from '../../src/search/predicate.ts';
import { filterOptions, parseCriterion, readCriteria } from '../../src/subscriptions/criteria.ts';
import { type Topic, topics } from '../../src/subscriptions/topics.ts';

const BASE = 'https://vitalwire.example/fhir';
const LOINC = 'http://loinc.org';
const topicBy = (end: string): Topic => [...topics().values()].find((topic) => topic.url.endsWith(end)) as Topic;
const newReading = topicBy('/new-reading');
const feed = topicBy('/patient-data-feed');
const read = (texts: readonly string[], topic = newReading) => readCriteria(topic, texts, filterOptions(BASE, limits));

const observation = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
  ],
  code: { coding: [{ system: LOINC, code: '8867-4' }] },
  subject: { reference: 'Patient/p1' },
  device: { reference: 'Device/d1' },
  valueQuantity: { value: 66, system: 'http://unitsofmeasure.org', code: '/min' },
};
const told = (texts: readonly string[], resource: Record<string, unknown> = observation): boolean => {
  const { filters, problems } = read(texts);
  assert.deepEqual(problems, [], texts.join(' AND '));
  const filter = filters.get('Observation');
  assert.ok(filter);
  return matches(filter, extract(resource, BASE), { id: 'o1', lastUpdated: 0 });
};

test('the three spellings mean the same, and so do the ways to name a patient', () => {
  const spellings = ['Observation?patient=X', 'patient=X', 'Observation.patient=X'];
  const patients = ['Patient/p1', 'p1', `${BASE}/Patient/p1`, 'Patient%2Fp1'];
  for (const spelling of spellings)
    for (const id of patients) {
      const text = spelling.replace('X', id);
      assert.equal(told([text]), true, text);
      assert.equal(told([text.replaceAll('p1', 'p2')]), false, text);
    }
});

test('criteria are ANDed, values are ORed, modifiers and comparators count', () => {
  assert.equal(told(['patient=p1', `code=${LOINC}|8867-4`]), true);
  assert.equal(told(['patient=p1', 'code=8310-5']), false);
  assert.equal(told(['Observation?patient=p1&code=8310-5,8867-4&category=vital-signs']), true);
  assert.equal(told(['code:not=8310-5', 'status:not=entered-in-error']), true);
  assert.equal(told(['code:not=8867-4']), false);
  assert.equal(told(['value-quantity=gt60', 'value-quantity=lt70||/min']), true);
  assert.equal(told(['value-quantity=gt66']), false);
  assert.equal(told(['device:missing=false', 'component-value-quantity:missing=true']), true);
});

test('what cannot be evaluated is a problem with a sentence and the number of its criterion', () => {
  const cases: [string, RegExp][] = [
    ['Observation?mood=good', /mood is no filter/],
    ['Observation?patient.name=x', /chained/],
    ['patient.name=x', /chained/],
    ['Encounter?patient=Patient/1', /does not tell of Encounter/],
    ['patient:identifier=x|y', /:missing/],
    ['code:text=x', /not :text/],
    ['value-quantity=warm', /value-quantity/],
    ['device:missing=perhaps', /true or false/],
    ['Observation?_has:Provenance:target:agent=1', /no filter/],
    ['patient', /Write a filter/],
    ['patient=', /Write a filter/],
    ['', /Write a filter/],
    ['Observation?', /Write a filter/],
    ['Observation?_in=Group/1', /_in is no filter/],
  ];
  for (const [text, sentence] of cases) {
    const { problems } = read(['patient=p1', text]);
    assert.equal(problems.length, 1, text);
    assert.equal(problems[0]?.index, 1, text);
    assert.match(problems[0]?.details ?? '', sentence, text);
  }
});

test('a criterion without a type is read as part of no other', () => {
  assert.deepEqual(parseCriterion('Observation.code=http://a.example/x.y|1'), {
    type: 'Observation',
    parts: [{ raw: 'code=http://a.example/x.y|1', name: 'code', value: 'http://a.example/x.y|1' }],
  });
  assert.equal(parseCriterion('code=http://A.example?x|1')?.type, undefined);
});

test('the US Core feed drops what it cannot evaluate and keeps the rest; only named types notify', () => {
  const { filters, problems, adjusted } = read(
    [
      'Observation?patient=1&category=laboratory&mood=good',
      'CareTeam?patient=1',
      'Encounter?patient=1&trigger=feed-event',
      'Encounter?trigger=http://terminology.hl7.org/CodeSystem/v2-0003|A01',
    ],
    feed,
  );
  assert.deepEqual([...filters.keys()], ['Observation', 'Encounter']);
  assert.deepEqual(
    problems.map((p) => p.index),
    [0, 1, 3],
  );
  assert.deepEqual(adjusted, [
    'Observation?patient=1&category=laboratory',
    undefined,
    'Encounter?patient=1&trigger=feed-event',
    'Encounter',
  ]);
  assert.deepEqual([...read([], feed).filters.keys()], feed.types);
});
