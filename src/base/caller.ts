/** Who asks, as far as rooms that know nothing of OAuth need it. `access/` extends it to a Principal. */
export interface Caller {
  readonly clientId: string;
  /** The token itself holds `system/*.cruds` (CONTRACT §2 administrator, more). */
  readonly admin: boolean;
}
