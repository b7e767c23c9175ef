import { createHmac, randomBytes } from 'node:crypto'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** As its owner is shown it, once. */
export function newSecret (): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64')
}

/**
 * The header fields of Standard Webhooks (specification 1.0.0, "Webhook metadata" and "Signature scheme"): HMAC-SHA256 over
 * `id.timestamp.body`, one signature for each secret that is good now.
 * @param timestamp Unix seconds of the attempt
 */
export function signatureHeaders (secrets: readonly string[], { id, timestamp, body }: { id: string, timestamp: number, body: string }): Record<string, string> {
  const signed = `${id}.${timestamp}.${body}`
  const codes = secrets.map((secret) => `v1,${createHmac('sha256', Buffer.from(secret.slice(PREFIX.length), 'base64')).update(signed).digest('base64')}`)
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': codes.join(' ') }
}
