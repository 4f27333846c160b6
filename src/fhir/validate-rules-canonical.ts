/** Invariants of definitions, terminology and other conformance resources. The sentences stand in the definitions. */
import { count, distinct, has, hasChoice, items, text } from './validate-look.ts';
import type { RuleTable } from './validate-rules.ts';
import type { Obj } from './validate-walk.ts';

const SIZED = new Set(['boolean', 'decimal', 'integer', 'string', 'text', 'url', 'open-choice']);
const CHOOSING = new Set([
  'choice',
  'open-choice',
  'decimal',
  'integer',
  'date',
  'dateTime',
  'time',
  'string',
  'quantity',
]);
const display = (o: Obj): boolean => o['type'] === 'display';

/** que-2: every linkId of a Questionnaire stands once. */
function linkIds(o: Obj, found: unknown[] = []): unknown[] {
  for (const item of items(o, 'item')) {
    found.push(item['linkId']);
    linkIds(item, found);
  }
  return found;
}

/** cpb-14 to cpb-16, tcp-3 to tcp-5: what a statement of each kind has. */
const ofKind = {
  instance: (o: Obj): boolean => o['kind'] !== 'instance' || has(o, 'implementation'),
  capability: (o: Obj): boolean => o['kind'] !== 'capability' || (!has(o, 'implementation') && has(o, 'software')),
  requirements: (o: Obj): boolean => o['kind'] !== 'requirements' || count(o, 'implementation', 'software') === 0,
};
/** An action of a test does one thing. */
function exactlyOne(o: Obj): boolean {
  return has(o, 'operation') !== has(o, 'assert');
}

export const CANONICAL_RULES: RuleTable = {
  CapabilityStatement: {
    'cpb-1': (o) => count(o, 'rest', 'messaging', 'document') > 0,
    'cpb-2': (o) => count(o, 'description', 'software', 'implementation') > 0,
    'cpb-3': (o) => o['kind'] === 'instance' || !items(o, 'messaging').some((m) => has(m, 'endpoint')),
    'cpb-14': ofKind.instance,
    'cpb-15': ofKind.capability,
    'cpb-16': ofKind.requirements,
  },
  'CapabilityStatement.rest': { 'cpb-9': (o) => distinct(items(o, 'resource').map((r) => r['type'])) },
  'CapabilityStatement.rest.resource': { 'cpb-12': (o) => distinct(items(o, 'searchParam').map((p) => p['name'])) },
  TerminologyCapabilities: {
    'tcp-2': (o) => count(o, 'description', 'software', 'implementation') > 0,
    'tcp-3': ofKind.instance,
    'tcp-4': ofKind.capability,
    'tcp-5': ofKind.requirements,
  },
  'TerminologyCapabilities.codeSystem': {
    'tcp-1': (o) => items(o, 'version').length < 2 || items(o, 'version').every((v) => has(v, 'code')),
  },
  'ConceptMap.group.element.target': {
    'cmd-1': (o) => has(o, 'comment') || (o['equivalence'] !== 'narrower' && o['equivalence'] !== 'inexact'),
  },
  'ConceptMap.group.unmapped': {
    'cmd-2': (o) => o['mode'] !== 'fixed' || has(o, 'code'),
    'cmd-3': (o) => o['mode'] !== 'other-map' || has(o, 'url'),
  },
  MeasureReport: { 'mrp-1': (o) => o['type'] !== 'data-collection' || !has(o, 'group') },
  NamingSystem: {
    'nsd-1': (o) => o['kind'] !== 'root' || items(o, 'uniqueId').every((u) => u['type'] !== 'uuid'),
    'nsd-2': (o) =>
      distinct(
        items(o, 'uniqueId')
          .filter((u) => u['preferred'] === true)
          .map((u) => u['type']),
      ),
  },
  'OperationDefinition.parameter': {
    'opd-1': (o) => has(o, 'type') || has(o, 'part'),
    'opd-2': (o) => !has(o, 'searchType') || o['type'] === 'string',
    'opd-3': (o) => !has(o, 'targetProfile') || o['type'] === 'Reference' || o['type'] === 'canonical',
  },
  'Parameters.parameter': {
    'inv-1': (o) => count(o, 'part', 'resource') + (hasChoice(o, 'value') ? 1 : 0) === 1,
  },
  Questionnaire: { 'que-2': (o) => distinct(linkIds(o)) },
  'Questionnaire.item': {
    'que-1': (o) => (o['type'] === 'group' ? has(o, 'item') : !display(o) || !has(o, 'item')),
    'que-3': (o) => !display(o) || !has(o, 'code'),
    'que-4': (o) => !has(o, 'answerOption') || !has(o, 'answerValueSet'),
    'que-5': (o) => CHOOSING.has(text(o, 'type')) || count(o, 'answerValueSet', 'answerOption') === 0,
    'que-6': (o) => !display(o) || count(o, 'required', 'repeats') === 0,
    'que-8': (o) => (o['type'] !== 'group' && !display(o)) || !has(o, 'initial'),
    'que-9': (o) => !display(o) || !has(o, 'readOnly'),
    'que-10': (o) => SIZED.has(text(o, 'type')) || !has(o, 'maxLength'),
    'que-11': (o) => !has(o, 'answerOption') || !has(o, 'initial'),
    'que-12': (o) => items(o, 'enableWhen').length < 3 || has(o, 'enableBehavior'),
    'que-13': (o) => o['repeats'] === true || items(o, 'initial').length < 2,
  },
  'Questionnaire.item.enableWhen': { 'que-7': (o) => o['operator'] !== 'exists' || has(o, 'answerBoolean') },
  SearchParameter: {
    'spd-1': (o) => !has(o, 'xpath') || has(o, 'xpathUsage'),
    'spd-2': (o) => !has(o, 'chain') || o['type'] === 'reference',
  },
  StructureDefinition: {
    'sdf-4': (o) => o['abstract'] === true || has(o, 'baseDefinition'),
    'sdf-6': (o) => count(o, 'snapshot', 'differential') > 0,
    'sdf-18': (o) => !has(o, 'contextInvariant') || o['type'] === 'Extension',
  },
  'StructureDefinition.mapping': { 'sdf-2': (o) => count(o, 'name', 'uri') > 0 },
  'StructureMap.group.rule.target': {
    'smp-1': (o) => !has(o, 'element') || has(o, 'context'),
    'smp-2': (o) => !has(o, 'context') || has(o, 'contextType'),
  },
  'TestReport.setup.action': { 'inv-1': exactlyOne },
  'TestReport.test.action': { 'inv-2': exactlyOne },
  'TestScript.setup.action': { 'tst-1': exactlyOne },
  'TestScript.test.action': { 'tst-2': exactlyOne },
  'ValueSet.compose.include': {
    'vsd-1': (o) => has(o, 'valueSet') || has(o, 'system'),
    'vsd-2': (o) => count(o, 'concept', 'filter') === 0 || has(o, 'system'),
    'vsd-3': (o) => !has(o, 'concept') || !has(o, 'filter'),
  },
  'ValueSet.expansion.contains': {
    'vsd-6': (o) => count(o, 'code', 'display') > 0,
    'vsd-9': (o) => has(o, 'code') || o['abstract'] === true,
    'vsd-10': (o) => !has(o, 'code') || has(o, 'system'),
  },
};
