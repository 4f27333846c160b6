/**
 * What belongs to a patient, for `patient/` scopes and `user/` scopes of a patient. Narrower than the CompartmentDefinition of
 * R4: only by who a resource is about, never by who performed, wrote or asserted it, so that a parent who measured a child sees
 * nothing of the child through a scope of the parent's own.
 */
import { ALL, type Filter, NONE, or } from '../search/plan.ts';
import type { Letter } from './principal.ts';

/** Search parameter that says who a resource is about. FHIR R4 compartmentdefinition-patient.html, subject and patient only. */
const SUBJECT: readonly string[] = [
  'Account AdverseEvent ChargeItem ClinicalImpression Communication CommunicationRequest Composition DeviceRequest',
  'DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EnrollmentRequest Invoice List Media',
  'MedicationRequest MedicationStatement Observation QuestionnaireResponse RequestGroup RiskAssessment ServiceRequest',
  'Specimen SupplyRequest',
];
const PATIENT: readonly string[] = [
  'AllergyIntolerance Appointment AppointmentResponse Basic BodyStructure CarePlan CareTeam Claim ClaimResponse Condition',
  'Consent CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Encounter EpisodeOfCare',
  'ExplanationOfBenefit FamilyMemberHistory Flag Goal ImagingStudy Immunization ImmunizationEvaluation',
  'ImmunizationRecommendation MeasureReport MedicationAdministration MedicationDispense MolecularSequence NutritionOrder',
  'Procedure RelatedPerson ResearchSubject SupplyDelivery VisionPrescription AuditEvent',
];
const ABOUT: ReadonlyMap<string, string> = new Map([
  ...SUBJECT.flatMap((line) => line.split(' ')).map((type) => [type, 'subject'] as const),
  ...PATIENT.flatMap((line) => line.split(' ')).map((type) => [type, 'patient'] as const),
  ['Coverage', 'beneficiary'],
]);

/** Readable by anyone with a scope for the type: catalogues and who is who, nothing about a patient. */
const SHARED = new Set([
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Medication',
  'DeviceDefinition',
  'CodeSystem',
  'ValueSet',
  'ConceptMap',
  'NamingSystem',
]);

/** Types of the compartment and the search parameter by which they belong to it. */
export const compartmentParams: ReadonlyMap<string, string> = ABOUT;

const about = (param: string, patient: string): Filter => ({ op: 'reference', param, type: 'Patient', id: patient });

/** CONTRACT §2 who sees what: a Device by Device.patient or by a DeviceUseStatement. */
function deviceFilter(patient: string): Filter {
  const worn: Filter = {
    op: 'has',
    type: 'DeviceUseStatement',
    param: 'device',
    filter: about('subject', patient),
  };
  return or(about('patient', patient), worn);
}

const reads = (letter: Letter): boolean => letter === 'r' || letter === 's';

/**
 * What of `type` belongs to the patient with this id; NONE when nothing does. `named`: the scope names the type and is not one
 * of all types.
 */
export function patientFilter(type: string, patient: string, letter: Letter, named: boolean): Filter {
  // An audit trail is given only to who asks for it by name.
  if (type === 'AuditEvent' && !named) return NONE;
  // No creating of patients under a patient's own scope.
  if (type === 'Patient') return letter === 'c' ? NONE : { op: 'id', ids: [patient] };
  if (type === 'Device') return deviceFilter(patient);
  if (type === 'DeviceMetric') return { op: 'chain', param: 'source', type: 'Device', filter: deviceFilter(patient) };
  // Whose Subscription it is, is the business of the rules of that type; what it delivers is filtered by its own scopes.
  if (type === 'Subscription') return ALL;
  const param = ABOUT.get(type);
  if (param !== undefined) return about(param, patient);
  return SHARED.has(type) && reads(letter) ? ALL : NONE;
}
