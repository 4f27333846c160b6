/** MongoDB = memory, for random resources and queries. */
import { test } from 'node:test';
import { searchContract } from '../../contract/search.ts';
import { noMongo } from '../../support/mongo.ts';
import { openMongo } from './support.ts';

if (noMongo) test('MongoDB: search equals the reference engine', { skip: noMongo }, () => {});
else searchContract('mongodb', () => openMongo(), 40);
