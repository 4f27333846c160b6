/**
 * The SMART discovery document. It claims what works, no more: sign-in is not offered, so there is no code grant among the
 * grants and no capability that needs a user. SMART App Launch 2.2 conformance; CONTRACT §4 discovery, more.
 */
import { type Addresses, ROUTES } from './addresses.ts';
import { brandIdentifier } from './brand.ts';
import { ASSERTION_ALGS } from './jwks.ts';

/** Granted as they stand here to a client that is registered for `system/*.cruds`, and narrower ones and granular ones as well. */
export const SCOPES = [
  'system/*.cruds',
  'system/*.rs',
  'system/*.c',
  'system/*.read',
  'system/*.write',
  'system/*.*',
  'system/Observation.c',
  'system/Observation.rs',
  'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
  'system/Device.rs',
  'system/Patient.rs',
  'system/Subscription.cruds',
];

export const CAPABILITIES = ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'];

export function smartConfiguration(addresses: Addresses): string {
  const endpoints = Object.fromEntries(
    (Object.keys(ROUTES) as (keyof typeof ROUTES)[])
      .filter((route) => route !== 'jwks' && route !== 'end_session')
      .map((route) => [`${route}_endpoint`, addresses.url(route)]),
  );
  return JSON.stringify({
    // `issuer` is for servers with single sign-on and omitted otherwise.
    ...endpoints,
    jwks_uri: addresses.url('jwks'),
    grant_types_supported: ['client_credentials'],
    scopes_supported: SCOPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGS,
    introspection_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
    user_access_brand_bundle: addresses.brands,
    user_access_brand_identifier: brandIdentifier(addresses),
    capabilities: CAPABILITIES,
  });
}
