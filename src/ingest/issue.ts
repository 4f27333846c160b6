/** Why a reading was not filed. The set of codes is closed. CONTRACT §5 issue codes. */
export type IssueCode =
  | 'payload.malformed'
  | 'payload.truncated'
  | 'payload.crc'
  | 'mapping.no-match'
  | 'mapping.required-missing'
  | 'mapping.expression'
  | 'unit.unknown'
  | 'unit.missing'
  | 'unit.incommensurable'
  | 'unit.ambiguous'
  | 'value.implausible'
  | 'value.special'
  | 'device.unknown'
  | 'device.unassociated'
  | 'device.patient-mismatch'
  | 'time.missing'
  | 'time.unset'
  | 'time.future'
  | 'time.unmappable'
  | 'version.conflict'
  | 'store.rejected'
  | 'store.conflict';

export interface Issue {
  readonly code: IssueCode;
  /** A sentence that says what to do. */
  readonly details: string;
}

export const issue = (code: IssueCode, details: string): Issue => ({ code, details });
export const malformed = (details: string): Issue => ({ code: 'payload.malformed', details });

/** Time or a person may cure these; what is wrong with a payload or a unit stays wrong. */
export const isCurable = (code: IssueCode): boolean => !code.startsWith('payload.') && !code.startsWith('unit.');

export type Status = 'stored' | 'duplicate' | 'held' | 'rejected';
export const STATUSES: readonly Status[] = ['stored', 'duplicate', 'held', 'rejected'];
export const statusOf = (found: Issue): 'held' | 'rejected' => (isCurable(found.code) ? 'held' : 'rejected');
