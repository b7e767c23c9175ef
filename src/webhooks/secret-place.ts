/** What the sealed secrets of an endpoint are bound to: on registering and on signing the same. */
export function secretPlace (webhook_id: string): { table: string, column: string, row: string } {
  return { table: 'webhooks', column: 'secrets', row: webhook_id }
}
