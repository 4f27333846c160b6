import { test } from 'node:test';
import { storeContract } from '../../contract/store.ts';
import { noMongo } from '../../support/mongo.ts';
import { openMongo } from './support.ts';

if (noMongo) test('MongoDB: the store contract', { skip: noMongo }, () => {});
else storeContract('mongodb', () => openMongo());
