/** Which status a client's write leaves behind. Backport IG "Subscription status", CONTRACT §7 Subscription, more */
import { type Obj, obj, type SubscriptionStatus } from './names.ts';

/** A handshake proves an endpoint and its credentials; when they change it proves nothing any more. */
function sameReceiver(a: Obj, b: Obj): boolean {
  const [x, y] = [obj(a['channel']), obj(b['channel'])];
  return x['endpoint'] === y['endpoint'] && JSON.stringify(x['header'] ?? []) === JSON.stringify(y['header'] ?? []);
}

/**
 * Only the server knows whether a Subscription is active or failing; a client asks (`requested`) or stops (`off`).
 * @param sent the resource as sent, headers sealed
 * @param before the resource as stored; undefined when it is new
 * @param adjusted filters were dropped: the client has to agree first (US Core patient data feed)
 */
export function nextStatus(sent: Obj, before: Obj | undefined, adjusted: boolean): SubscriptionStatus {
  if (adjusted) return 'error';
  if (!before) return 'requested';
  const asked = sent['status'] as SubscriptionStatus;
  const was = before['status'] as SubscriptionStatus;
  if (asked === 'off' || asked === 'requested') return asked;
  if (was === 'off') return asked === 'active' ? 'requested' : 'off';
  if (!sameReceiver(sent, before)) return 'requested';
  // `active` asks a failing one to start anew; `error` is what the server found, so saying it changes nothing.
  return asked === 'active' && was === 'error' ? 'requested' : was;
}
