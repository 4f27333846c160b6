/** Where the authorization server answers, below `{BASE_URL}`. One table for discovery, the mount and the provider. */

/** Below the issuer. */
export const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  introspection: '/introspect',
  revocation: '/revoke',
  jwks: '/jwks',
  registration: '/register',
  management: '/manage',
  device_authorization: '/device',
  end_session: '/logout',
} as const;

export interface Addresses {
  readonly baseUrl: string;
  /** `{BASE_URL}/fhir`: what tokens are for. */
  readonly fhir: string;
  /** `{BASE_URL}/auth`. CONTRACT §4 authorization server. */
  readonly issuer: string;
  readonly brands: string;
  url(route: keyof typeof ROUTES): string;
}

export function addressesOf(baseUrl: string): Addresses {
  const issuer = `${baseUrl}/auth`;
  return {
    baseUrl,
    fhir: `${baseUrl}/fhir`,
    issuer,
    brands: `${baseUrl}/brands`,
    url: (route) => issuer + ROUTES[route],
  };
}
