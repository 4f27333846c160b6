/** Published examples must be taken; the few that break R4 themselves are listed with what is wrong with them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { parseResource } from '../../src/fhir/parse.ts';
import { validate } from '../../src/fhir/validate.ts';
import { absent, sharedData } from '../support/shared.ts';

const MISTAKEN: Readonly<Record<string, string>> = {
  // Questionnaire.item.linkId is 1..1; half of the items have none
  'bundle-questionnaire.json': 'Questionnaire.item[0].item[0].linkId',
  // parent may be a Device only
  'devicemetric-example.json': 'DeviceMetric.parent.reference',
  // a Procedure is none of the five types of reasonReference
  'deviceusestatement-example.json': 'DeviceUseStatement.reasonReference[0].reference',
  // dispenseRequest.performer may be an Organization only
  'medicationrequest0301.json': 'MedicationRequest.dispenseRequest.performer.reference',
  // a targetProfile on a parameter of type Parameters
  'OperationDefinition-submit-cgm-bundle.json': 'OperationDefinition.parameter[0]',
  // from before R4, to test FHIRPath
  'explanationofbenefit-example.json': 'ExplanationOfBenefit.status',
  // an Organization without name and identifier
  'patient-container-example.json': 'Patient.contained[0]',
};

const files = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && e.name.endsWith('.json'))
    .map((e) => join(e.parentPath, e.name));

for (const folder of ['hl7-examples', 'synthea', 'ig']) {
  const path = sharedData(folder);
  test(`published resources of ${folder}`, { skip: path === undefined && absent(folder) }, () => {
    let seen = 0;
    for (const file of files(path as string)) {
      const text = readFileSync(file, 'utf8');
      const value = JSON.parse(text) as { resourceType?: unknown };
      if (typeof value.resourceType !== 'string') continue;
      seen++;
      const errors = validate(parseResource(text, limits).resource).filter((i) => i.severity === 'error');
      const mistake = MISTAKEN[file.replace(/^.*\//, '')];
      if (mistake === undefined) assert.deepEqual(errors, [], file);
      else
        assert.ok(
          errors.some((e) => e.expression[0] === mistake),
          `${file}: ${JSON.stringify(errors[0])}`,
        );
    }
    assert.ok(seen > 5, `${seen} resources in ${folder}`);
  });
}
