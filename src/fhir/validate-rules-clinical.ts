/** Invariants of the resources about patients, care and devices. The sentences stand in the definitions. */
import { has, hasChoice, hasCoding, items, text } from './validate-look.ts';
import type { RuleTable } from './validate-rules.ts';
import { inOrder, UCUM } from './validate-rules-datatypes.ts';
import type { Obj } from './validate-walk.ts';

const T = 'http://terminology.hl7.org/CodeSystem/';
const ENTERED_IN_ERROR = 'entered-in-error';
const ABATED = ['resolved', 'remission', 'inactive'];
const UNBOOKED = new Set(['proposed', 'cancelled', 'waitlist']);
const atHome = (o: Obj, name: string): boolean => items(o, name).some((item) => item['use'] === 'home');
const isPercent = (quantity: unknown): boolean =>
  quantity === undefined || ((quantity as Obj)['code'] === '%' && (quantity as Obj)['system'] === UCUM);

/** obs-7: no code of the Observation is that of a component when the Observation has a value. */
function noSharedCode(o: Obj): boolean {
  const components = o['component'] as Obj[] | undefined;
  if (components === undefined || !hasChoice(o, 'value')) return true;
  const own = items(o['code'] as Obj, 'coding');
  return !components.some((component) =>
    items(component['code'] as Obj, 'coding').some((c) =>
      own.some((mine) => JSON.stringify(Object.entries(mine).sort()) === JSON.stringify(Object.entries(c).sort())),
    ),
  );
}

export const CLINICAL_RULES: RuleTable = {
  AllergyIntolerance: {
    'ait-1': (o) =>
      has(o, 'clinicalStatus') ||
      hasCoding(o['verificationStatus'], `${T}allergyintolerance-verification`, ENTERED_IN_ERROR),
    'ait-2': (o) =>
      !has(o, 'clinicalStatus') ||
      !hasCoding(o['verificationStatus'], `${T}allergyintolerance-verification`, ENTERED_IN_ERROR),
  },
  Appointment: {
    'app-2': (o) => has(o, 'start') === has(o, 'end'),
    'app-3': (o) => (has(o, 'start') && has(o, 'end')) || UNBOOKED.has(text(o, 'status')),
    'app-4': (o) => !has(o, 'cancelationReason') || o['status'] === 'no-show' || o['status'] === 'cancelled',
  },
  'Appointment.participant': { 'app-1': (o) => has(o, 'type') || has(o, 'actor') },
  AppointmentResponse: { 'apr-1': (o) => has(o, 'participantType') || has(o, 'actor') },
  'AuditEvent.entity': { 'sev-1': (o) => !has(o, 'name') || !has(o, 'query') },
  'CarePlan.activity': { 'cpl-3': (o) => !has(o, 'detail') || !has(o, 'reference') },
  'Composition.section': {
    'cmp-1': (o) => has(o, 'text') || has(o, 'entry') || has(o, 'section'),
    'cmp-2': (o) => !has(o, 'emptyReason') || !has(o, 'entry'),
  },
  Condition: {
    'con-4': (o) =>
      !hasChoice(o, 'abatement') ||
      ABATED.some((code) => hasCoding(o['clinicalStatus'], `${T}condition-clinical`, code)),
    'con-5': (o) =>
      !has(o, 'clinicalStatus') || !hasCoding(o['verificationStatus'], `${T}condition-ver-status`, ENTERED_IN_ERROR),
  },
  'Condition.evidence': { 'con-2': (o) => has(o, 'code') || has(o, 'detail') },
  'Condition.stage': { 'con-1': (o) => has(o, 'summary') || has(o, 'assessment') },
  Consent: { 'ppc-1': (o) => has(o, 'policy') || has(o, 'policyRule') },
  'CoverageEligibilityResponse.insurance.item': { 'ces-1': (o) => has(o, 'category') !== has(o, 'productOrService') },
  FamilyMemberHistory: {
    'fhs-1': (o) => !hasChoice(o, 'age') || !hasChoice(o, 'born'),
    'fhs-2': (o) => hasChoice(o, 'age') || !has(o, 'estimatedAge'),
  },
  'Goal.target': { 'gol-1': (o) => !hasChoice(o, 'detail') || has(o, 'measure') },
  Group: { 'grp-1': (o) => !has(o, 'member') || o['actual'] === true },
  'Immunization.education': { 'imm-1': (o) => has(o, 'documentType') || has(o, 'reference') },
  'ImmunizationRecommendation.recommendation': { 'imr-1': (o) => has(o, 'vaccineCode') || has(o, 'targetDisease') },
  InsurancePlan: { 'ipn-1': (o) => has(o, 'identifier') || has(o, 'name') },
  Linkage: { 'lnk-1': (o) => items(o, 'item').length > 1 },
  List: {
    'lst-1': (o) => !has(o, 'emptyReason') || !has(o, 'entry'),
    'lst-2': (o) => o['mode'] === 'changes' || !items(o, 'entry').some((e) => has(e, 'deleted')),
    'lst-3': (o) => o['mode'] === 'working' || !items(o, 'entry').some((e) => has(e, 'date')),
  },
  'MedicationAdministration.dosage': { 'mad-1': (o) => has(o, 'dose') || hasChoice(o, 'rate') },
  MedicationDispense: { 'mdd-1': (o) => inOrder(o['whenPrepared'], o['whenHandedOver']) },
  MolecularSequence: { 'msq-3': (o) => o['coordinateSystem'] === 0 || o['coordinateSystem'] === 1 },
  'MolecularSequence.referenceSeq': { 'msq-5': (o) => has(o, 'chromosome') === has(o, 'genomeBuild') },
  Observation: {
    'obs-6': (o) => o['dataAbsentReason'] === undefined || !hasChoice(o, 'value'),
    'obs-7': noSharedCode,
  },
  'Observation.referenceRange': { 'obs-3': (o) => has(o, 'low') || has(o, 'high') || has(o, 'text') },
  Organization: {
    'org-1': (o) => has(o, 'identifier') || has(o, 'name'),
    'org-2': (o) => !atHome(o, 'address'),
    'org-3': (o) => !atHome(o, 'telecom'),
  },
  'Patient.contact': {
    'pat-1': (o) => has(o, 'name') || has(o, 'telecom') || has(o, 'address') || has(o, 'organization'),
  },
  'QuestionnaireResponse.item': { 'qrs-1': (o) => !(has(o, 'answer') && has(o, 'item')) },
  'RequestGroup.action': { 'rqg-1': (o) => has(o, 'resource') !== has(o, 'action') },
  'RiskAssessment.prediction': {
    'ras-1': (o) => {
      const range = (o['probabilityRange'] as Obj | undefined) ?? {};
      return isPercent(range['low']) && isPercent(range['high']);
    },
    'ras-2': (o) => typeof o['probabilityDecimal'] !== 'number' || o['probabilityDecimal'] <= 100,
  },
  ServiceRequest: { 'prr-1': (o) => !has(o, 'orderDetail') || has(o, 'code') },
  Task: { 'inv-1': (o) => inOrder(o['authoredOn'], o['lastModified']) },
};
