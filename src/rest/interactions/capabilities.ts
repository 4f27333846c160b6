/** The CapabilityStatement: what this server does, told from the same tables that do it. FHIR R4 capabilitystatement.html */
import type { Operation } from '../../access/operation.ts';
import { instant } from '../../base/clock.ts';
import type { PlainResponse } from '../../base/http.ts';
import { resourceTypes } from '../../fhir/definitions.ts';
import { type SearchParam, searchParams } from '../../fhir/search-params.ts';
import type { RestContext } from '../context.ts';
import { bodyResponse } from '../respond.ts';
import { JSON_PATCH } from './patch.ts';

const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport';
const TYPE_INTERACTIONS = [
  ...['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'history-type', 'create', 'search-type'],
];
const READING: ReadonlySet<string> = new Set(['read', 'vread', 'history-instance', 'history-type', 'search-type']);
/** CONTRACT §2: AuditEvents are read, and written by nobody. */
const READ_ONLY: ReadonlySet<string> = new Set(['AuditEvent']);

const texts = new WeakMap<RestContext, string>();

/** Made once; it says the same as long as the process lives. */
export function capabilities(ctx: RestContext): PlainResponse {
  let text = texts.get(ctx);
  if (text === undefined) {
    text = JSON.stringify(statement(ctx));
    texts.set(ctx, text);
  }
  return bodyResponse(text);
}

function statement(ctx: RestContext): Record<string, unknown> {
  const types = resourceTypes();
  const pointing = pointingTo(types);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: instant(ctx.clock.now()),
    kind: 'instance',
    instantiates:
      ctx.topics.length > 0 ? [`${BACKPORT}/CapabilityStatement/backport-subscription-server-r4`] : undefined,
    software: { name: 'Vitalwire', version: ctx.version },
    implementation: { description: 'Device readings in, FHIR R4 out, EHRs subscribe.', url: ctx.base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: [JSON_PATCH],
    rest: [
      {
        mode: 'server',
        security: security(ctx),
        resource: types.map((type) => resource(ctx, type, pointing.get(type) ?? [])),
        interaction: ['transaction', 'batch', 'history-system'].map((code) => ({ code })),
        operation: operations(ctx.operations.filter((each) => each.levels.includes('system'))),
      },
    ],
  };
}

const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);

const operations = (list: readonly Operation[]): unknown =>
  some(list.map(({ name, definition }) => ({ name: `$${name}`, definition })));

function resource(ctx: RestContext, type: string, pointing: readonly string[]): Record<string, unknown> {
  // Parameters of type special (Location near) cannot be evaluated, so they are not claimed.
  const params = searchParams(type).filter((param) => param.type !== 'special');
  const writable = !READ_ONLY.has(type);
  const subscription = type === 'Subscription';
  return {
    extension: subscription ? some(ctx.topics.map(topic)) : undefined,
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    supportedProfile: subscription ? [`${BACKPORT}/StructureDefinition/backport-subscription`] : undefined,
    interaction: TYPE_INTERACTIONS.filter((code) => writable || READING.has(code)).map((code) => ({ code })),
    versioning: 'versioned',
    readHistory: true,
    updateCreate: writable,
    conditionalCreate: writable,
    conditionalRead: 'full-support',
    conditionalUpdate: writable,
    conditionalDelete: writable ? 'single' : 'not-supported',
    referencePolicy: ['literal', 'logical', 'local'],
    searchInclude: some(params.filter((p) => p.type === 'reference').map((p) => `${type}:${p.code}`)),
    searchRevInclude: some(pointing),
    searchParam: params.map(({ code, type: kind }) => ({ name: code, type: kind })),
    operation: operations(ctx.operations.filter((each) => each.type === type)),
  };
}

const topic = (url: string): unknown => ({
  url: `${BACKPORT}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical`,
  valueCanonical: url,
});

/** `Observation:subject` … by the type that the parameter leads to. Those that lead to any type are not repeated for each. */
function pointingTo(types: readonly string[]): ReadonlyMap<string, string[]> {
  const pointing = new Map<string, string[]>();
  const toAny = ({ targets }: SearchParam): boolean => targets.length >= types.length;
  for (const type of types)
    for (const param of searchParams(type)) {
      if (param.type !== 'reference' || toAny(param)) continue;
      for (const target of param.targets)
        pointing.set(target, [...(pointing.get(target) ?? []), `${type}:${param.code}`]);
    }
  return pointing;
}

/** SMART App Launch 2.2 conformance: the service, and the addresses for clients that do not read the discovery document. */
function security({ smart }: RestContext): Record<string, unknown> {
  const uris: readonly (readonly [string, string | undefined])[] = [
    ['authorize', smart.authorization_endpoint],
    ['token', smart.token_endpoint],
    ['register', smart.registration_endpoint],
    ['manage', smart.management_endpoint],
    ['introspect', smart.introspection_endpoint],
    ['revoke', smart.revocation_endpoint],
  ];
  const told = uris.flatMap(([url, valueUri]) => (valueUri === undefined ? [] : [{ url, valueUri }]));
  const extension = { url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris', extension: told };
  return {
    extension: told.length > 0 ? [extension] : undefined,
    cors: true,
    service: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
            code: 'SMART-on-FHIR',
            display: 'SMART-on-FHIR',
          },
        ],
        text: 'OAuth2 using SMART-on-FHIR',
      },
    ],
  };
}
