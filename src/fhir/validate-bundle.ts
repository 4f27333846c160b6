/** Invariants of Bundle. FHIR R4 bundle.html#invs */
import { has, items, text } from './validate-look.ts';
import type { RuleTable } from './validate-rules.ts';
import type { Obj, Walk } from './validate-walk.ts';

const REQUESTS = new Set(['batch', 'transaction', 'history']);
const RESPONSES = new Set(['batch-response', 'transaction-response', 'history']);

/** bdl-3 and bdl-4: a member that must stand in every entry of some Bundle types and in no entry of the others. */
const inEveryEntry =
  (key: string, member: string, types: ReadonlySet<string>) =>
  (bundle: Obj, walk: Walk): boolean => {
    const wanted = types.has(text(bundle, 'type'));
    items(bundle, 'entry').forEach((entry, i) => {
      if (has(entry, member) === wanted) return;
      const rule = wanted ? 'every entry needs' : 'no entry may have';
      const where = wanted ? `entry[${i}]` : `entry[${i}].${member}`;
      walk.fail('invariant', `${key}: in a Bundle of type ${text(bundle, 'type')} ${rule} "${member}".`, where);
    });
    return true;
  };

/** bdl-7: a fullUrl stands once, or with different versions. */
function distinctUrls(bundle: Obj, walk: Walk): boolean {
  if (bundle['type'] === 'history') return true;
  const seen = new Set<string>();
  items(bundle, 'entry').forEach((entry, i) => {
    if (typeof entry['fullUrl'] !== 'string') return;
    const meta = (entry['resource'] as Obj | undefined)?.['meta'] as Obj | undefined;
    const key = `${entry['fullUrl']} ${text(meta ?? {}, 'versionId')}`;
    if (seen.has(key)) walk.fail('invariant', 'bdl-7: this fullUrl stands twice.', `entry[${i}].fullUrl`);
    seen.add(key);
  });
  return true;
}

const firstIs = (bundle: Obj, type: string): boolean =>
  (items(bundle, 'entry')[0]?.['resource'] as Obj | undefined)?.['resourceType'] === type;

export const BUNDLE_RULES: RuleTable = {
  Bundle: {
    'bdl-1': (o) => !has(o, 'total') || o['type'] === 'searchset' || o['type'] === 'history',
    'bdl-2': (o) => o['type'] === 'searchset' || !items(o, 'entry').some((e) => has(e, 'search')),
    'bdl-3': inEveryEntry('bdl-3', 'request', REQUESTS),
    'bdl-4': inEveryEntry('bdl-4', 'response', RESPONSES),
    'bdl-7': distinctUrls,
    'bdl-9': (o) => {
      const identifier = (o['identifier'] as Obj | undefined) ?? {};
      return o['type'] !== 'document' || (has(identifier, 'system') && has(identifier, 'value'));
    },
    'bdl-10': (o) => o['type'] !== 'document' || typeof o['timestamp'] === 'string',
    'bdl-11': (o) => o['type'] !== 'document' || firstIs(o, 'Composition'),
    'bdl-12': (o) => o['type'] !== 'message' || firstIs(o, 'MessageHeader'),
  },
  'Bundle.entry': {
    'bdl-5': (o) => has(o, 'resource') || has(o, 'request') || has(o, 'response'),
    'bdl-8': (o) => !text(o, 'fullUrl').includes('/_history/'),
  },
};
