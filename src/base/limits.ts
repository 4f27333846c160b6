/** Every bound of the process in one table, named thing-unit-bound. CONTRACT §3 limits, §2 guessing. */
export interface Limits {
  readonly bodyBytesMax: number;
  readonly jsonDepthMax: number;
  readonly validationIssuesMax: number;
  readonly bundleEntriesMax: number;
  readonly readingsPerRequestMax: number;
  readonly pageEntriesDefault: number;
  readonly pageEntriesMax: number;
  readonly includeEntriesMax: number;
  /** Resources that a chained part of a search may lead to, on an engine that answers it first. */
  readonly chainResourcesMax: number;
  readonly includeRoundsMax: number;
  readonly batchEntriesInFlightMax: number;
  readonly drainBytesMax: number;
  readonly drainMsMax: number;
  readonly urlBytesMax: number;
  readonly searchParametersMax: number;
  readonly searchValuesMax: number;
  readonly searchHopsMax: number;
  readonly sortKeysMax: number;
  readonly searchFormBytesMax: number;
  readonly commitQueueBatchesMax: number;
  readonly commitBatchesPerTransactionMax: number;
  readonly commitTextCharsPerTransactionMax: number;
  /** Resources and documents of the batches that share a transaction, on an engine that ends one that takes too long. */
  readonly commitWritesPerTransactionMax: number;
  readonly indexRowsPerMergeMin: number;
  readonly classesPerTypeMax: number;
  readonly sortedEntriesMax: number;
  /** Resources of an index that a search takes one by one, rather than going along another index. */
  readonly listedEntriesMax: number;
  /** Texts that a search parses before it reads whole sets of an index instead. */
  readonly textsPerSearchMax: number;
  readonly conflictRetriesMax: number;
  /** A database transaction is tried again for so long, and so often, before the caller is told to come back. */
  readonly transactionMsMax: number;
  readonly transactionAttemptsMax: number;
  /** How long a commit whose answer was lost is asked after, on top of that. */
  readonly commitLostMsMax: number;
  readonly tokenVerdictMsMax: number;
  readonly tokenVerdictsMax: number;
  readonly backendTokenSecondsMax: number;
  readonly assertionMsMax: number;
  readonly clockSkewMsMax: number;
  readonly scopesPerTokenMax: number;
  readonly clientRecordsMax: number;
  readonly clientRecordMsMax: number;
  readonly wrongSecretsMax: number;
  readonly wrongSecretsMsMax: number;
  readonly jwksBytesMax: number;
  readonly jwksFetchMsMax: number;
  readonly jwksCacheMsMax: number;
  readonly jwksCacheEntriesMax: number;
  readonly jwksRefetchesPerMinuteMax: number;
  readonly readingFutureMsMax: number;
  readonly readingTextCharsMax: number;
  readonly identifiersPerReadingMax: number;
  readonly devicesCachedMax: number;
  readonly skeletonsCachedMax: number;
  readonly rejectedDaysKept: number;
  readonly replaysPerCommitMax: number;
  readonly explainedVersionsMax: number;
  readonly requestMsMax: number;
  readonly keepAliveMsMax: number;
  readonly shutdownMsMax: number;
  readonly deliveriesInFlightMax: number;
  readonly deliveriesPerOriginMax: number;
  readonly deliveryResponseBytesMax: number;
  readonly subscriptionEventDaysKept: number;
  readonly changesPerMatchMax: number;
  /** Newest changes whose terms stay in memory for the matcher. */
  readonly changeTermsKeptMax: number;
  readonly deliveryConnectMsMax: number;
  readonly deliveryOriginsMax: number;
  readonly deliveryRetryMsMin: number;
  readonly deliveryRetryAfterMsMax: number;
  readonly deliveryFailuresBeforeError: number;
  readonly deliveryFailuresBeforeBreak: number;
  readonly deliveryDaysMax: number;
  readonly heartbeatSecondsMin: number;
  readonly heartbeatSecondsMax: number;
  readonly notificationTimeoutSecondsMin: number;
  readonly notificationTimeoutSecondsMax: number;
  readonly notificationTimeoutSecondsDefault: number;
  readonly notificationEventsMax: number;
  readonly notificationEventsDefault: number;
  readonly eventsPerAnswerMax: number;
  readonly subscriptionFiltersMax: number;
  readonly subscriptionOwnersCachedMax: number;
  readonly subscriptionHeadersMax: number;
  readonly gatewayBatchItemsMax: number;
  readonly gatewayBatchBytesMax: number;
  readonly gatewayBatchesInFlightMax: number;
  readonly gatewayLiveMsMax: number;
  readonly gatewayRetryMsMin: number;
  readonly gatewayRetryMsMax: number;
  readonly gatewayRetryAfterMsMax: number;
  readonly gatewayProbeMsIdle: number;
  readonly gatewayRequestMsMax: number;
  readonly gatewayAnswerBytesMax: number;
  readonly gatewayDeadLettersMax: number;
  readonly gatewayViewDevicesMax: number;
}

export const limits: Limits = Object.freeze({
  bodyBytesMax: 32 * 2 ** 20,
  jsonDepthMax: 100,
  validationIssuesMax: 100,
  bundleEntriesMax: 10_000,
  readingsPerRequestMax: 10_000,
  pageEntriesDefault: 50,
  pageEntriesMax: 1_000,
  includeEntriesMax: 10_000,
  chainResourcesMax: 100_000,
  includeRoundsMax: 5,
  batchEntriesInFlightMax: 100,
  drainBytesMax: 64 * 2 ** 20,
  drainMsMax: 2_000,
  urlBytesMax: 16 * 1024,
  searchParametersMax: 100,
  searchValuesMax: 1_000,
  searchHopsMax: 4,
  sortKeysMax: 8,
  searchFormBytesMax: 256 * 1024,
  commitQueueBatchesMax: 5_000,
  commitBatchesPerTransactionMax: 500,
  commitTextCharsPerTransactionMax: 16 * 2 ** 20,
  commitWritesPerTransactionMax: 2_000,
  indexRowsPerMergeMin: 250_000,
  classesPerTypeMax: 4_000,
  sortedEntriesMax: 100_000,
  listedEntriesMax: 2_000,
  textsPerSearchMax: 500,
  conflictRetriesMax: 5,
  transactionMsMax: 8_000,
  transactionAttemptsMax: 20,
  commitLostMsMax: 45_000,
  tokenVerdictMsMax: 60_000,
  tokenVerdictsMax: 50_000,
  backendTokenSecondsMax: 300,
  assertionMsMax: 5 * 60_000,
  clockSkewMsMax: 15_000,
  scopesPerTokenMax: 200,
  clientRecordsMax: 10_000,
  clientRecordMsMax: 2_000,
  wrongSecretsMax: 50,
  wrongSecretsMsMax: 5 * 60_000,
  jwksBytesMax: 64 * 1024,
  jwksFetchMsMax: 5_000,
  jwksCacheMsMax: 60 * 60_000,
  jwksCacheEntriesMax: 1_000,
  jwksRefetchesPerMinuteMax: 6,
  readingFutureMsMax: 5 * 60_000,
  readingTextCharsMax: 1_000,
  identifiersPerReadingMax: 20,
  devicesCachedMax: 50_000,
  skeletonsCachedMax: 5_000,
  rejectedDaysKept: 90,
  replaysPerCommitMax: 500,
  explainedVersionsMax: 100,
  requestMsMax: 60_000,
  keepAliveMsMax: 65_000,
  shutdownMsMax: 8_000,
  deliveriesInFlightMax: 512,
  deliveriesPerOriginMax: 8,
  deliveryResponseBytesMax: 64 * 1024,
  subscriptionEventDaysKept: 14,
  changesPerMatchMax: 1_000,
  changeTermsKeptMax: 4_096,
  deliveryConnectMsMax: 10_000,
  deliveryOriginsMax: 1_000,
  deliveryRetryMsMin: 5_000,
  deliveryRetryAfterMsMax: 60 * 60_000,
  deliveryFailuresBeforeError: 3,
  deliveryFailuresBeforeBreak: 5,
  deliveryDaysMax: 7,
  heartbeatSecondsMin: 5,
  heartbeatSecondsMax: 366 * 24 * 3600,
  notificationTimeoutSecondsMin: 1,
  notificationTimeoutSecondsMax: 60,
  notificationTimeoutSecondsDefault: 20,
  notificationEventsMax: 1_000,
  notificationEventsDefault: 20,
  eventsPerAnswerMax: 500,
  subscriptionFiltersMax: 100,
  subscriptionOwnersCachedMax: 10_000,
  subscriptionHeadersMax: 50,
  gatewayBatchItemsMax: 500,
  gatewayBatchBytesMax: 2 ** 20,
  gatewayBatchesInFlightMax: 4,
  gatewayLiveMsMax: 30_000,
  gatewayRetryMsMin: 1_000,
  gatewayRetryMsMax: 5 * 60_000,
  gatewayRetryAfterMsMax: 60 * 60_000,
  gatewayProbeMsIdle: 30_000,
  gatewayRequestMsMax: 30_000,
  gatewayAnswerBytesMax: 4 * 2 ** 20,
  gatewayDeadLettersMax: 10_000,
  gatewayViewDevicesMax: 1_000,
});
