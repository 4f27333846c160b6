/**
 * The tables, each with its key layout and why the parts are in that order. `scripts/bench/store.ts` measures them.
 *
 * Numbers that stand for text (`type`, `param`, `cls`, `form`, `unit`, `system`, references) come from `dict`. A `rid` is the
 * number of a resource, in the order of creation; an id given out by the server is the rid, permuted (ids.ts).
 */

/** `type` of the dictionary entry that the first migration makes: its changes are not in the index of rare types. */
export const OBSERVATION_TYPE = 1;

/** Stands for "no primary date", before every date there is; never a real one. */
export const NO_DATE = -8.64e15 - 1;

const DICTIONARY = `
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE dict(kind INTEGER NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX dict_text ON dict(kind, text);
INSERT INTO dict VALUES (1, ${OBSERVATION_TYPE}, 'Observation');
`;

/**
 * Appended in rid or seq order: the cheapest insert there is. Newest versions only; older ones move to `history`. `checksum` is
 * that of the index rows (rows.ts).
 */
const RESOURCES = `
CREATE TABLE resource(
  rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, cls INTEGER NOT NULL, form INTEGER, version INTEGER NOT NULL,
  updated INTEGER NOT NULL, seq INTEGER NOT NULL, method INTEGER NOT NULL, body TEXT, origin TEXT, id TEXT, key TEXT, note TEXT,
  checksum INTEGER NOT NULL);
CREATE TABLE history(
  rid INTEGER NOT NULL, version INTEGER NOT NULL, type INTEGER NOT NULL, form INTEGER, updated INTEGER NOT NULL,
  seq INTEGER NOT NULL, method INTEGER NOT NULL, body TEXT, origin TEXT, PRIMARY KEY(rid, version)) WITHOUT ROWID;
CREATE TABLE client_id(type INTEGER NOT NULL, id TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY(type, id)) WITHOUT ROWID;
CREATE TABLE change(
  seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, type INTEGER NOT NULL, version INTEGER NOT NULL, method INTEGER NOT NULL,
  at INTEGER NOT NULL);
CREATE INDEX change_type ON change(type, seq) WHERE type <> ${OBSERVATION_TYPE};
CREATE INDEX change_later ON change(seq) WHERE version > 1;
`;

/**
 * by_patient answers "patient + code + newest first": one run of rows for each patient and class, in order of time.
 * by_class answers the same without a patient. Both end with rid so that equal dates keep the order of creation.
 * The others hold one row a term, clustered by value.
 */
const INDEXES = `
CREATE TABLE by_class(
  cls INTEGER NOT NULL, date INTEGER NOT NULL, rid INTEGER NOT NULL, high INTEGER, pat INTEGER NOT NULL,
  PRIMARY KEY(cls, date, rid)) WITHOUT ROWID;
CREATE TABLE class_count(cls INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE by_patient(
  pat INTEGER NOT NULL, cls INTEGER NOT NULL, date INTEGER NOT NULL, rid INTEGER NOT NULL, high INTEGER,
  PRIMARY KEY(pat, cls, date, rid)) WITHOUT ROWID;
CREATE TABLE reference(
  param INTEGER NOT NULL, target INTEGER NOT NULL, date INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(param, target, date, rid)) WITHOUT ROWID;
CREATE TABLE quantity(
  param INTEGER NOT NULL, unit INTEGER NOT NULL, value REAL NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(param, unit, value, rid)) WITHOUT ROWID;
CREATE TABLE date_term(
  param INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(param, low, high, rid)) WITHOUT ROWID;
CREATE TABLE token(
  param INTEGER NOT NULL, code TEXT NOT NULL, system INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(param, code, system, rid)) WITHOUT ROWID;
CREATE TABLE string(
  param INTEGER NOT NULL, folded TEXT NOT NULL, text TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(param, folded, text, rid)) WITHOUT ROWID;
CREATE TABLE uri(
  param INTEGER NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY(param, value, rid)) WITHOUT ROWID;
CREATE TABLE key(hash INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY(hash, rid)) WITHOUT ROWID;
CREATE TABLE key_former(key TEXT PRIMARY KEY, rid INTEGER NOT NULL, note TEXT) WITHOUT ROWID;
`;

/**
 * Index rows with a random place, as they were committed: one log row a group, a block of rows a table; or, when the group took
 * rows away, all its records in their order. They are merged into their tables in sorted order (merge.ts).
 */
const LOG = `
CREATE TABLE log(
  lid INTEGER PRIMARY KEY, records BLOB, by_patient BLOB, reference BLOB, quantity BLOB, date_term BLOB, key BLOB);
`;

const DOCUMENTS = `
CREATE TABLE doc(
  collection TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, tags TEXT, expires INTEGER,
  PRIMARY KEY(collection, key)) WITHOUT ROWID;
CREATE INDEX doc_expires ON doc(expires) WHERE expires IS NOT NULL;
CREATE TABLE doc_tag(
  collection TEXT NOT NULL, tag TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY(collection, tag, key)) WITHOUT ROWID;
CREATE TABLE counter(name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE stamp(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

export const FIRST_SCHEMA = DICTIONARY + RESOURCES + INDEXES + LOG + DOCUMENTS;
