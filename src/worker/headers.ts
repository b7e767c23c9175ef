import type { ConsumeMessage } from 'amqplib'

/** More than the broker ever counts; whoever publishes a message may write anything into its headers. */
const HIGHEST_COUNT = 1_000_000

/** What the broker and the publisher say of a message, for an operator who reads it in the parking lot. */
export function headersOf ({ properties }: ConsumeMessage): Record<string, unknown> {
  const { messageId, contentType, headers } = properties
  return { messageId: messageId as unknown, contentType: contentType as unknown, ...headers }
}

/** How often the message was delivered, this time included: quorum queues count it (RabbitMQ, "Quorum Queues", poison messages). */
export function deliveriesOf ({ properties }: ConsumeMessage): number {
  return countOf(properties.headers?.['x-delivery-count']) + 1
}

/** Why the broker gave the message up, and how often it came to that (RabbitMQ, "Dead Letter Exchanges"). */
export function deathOf ({ properties }: ConsumeMessage): { reason: string, count: number } {
  const deaths = (properties.headers as Record<string, unknown> | undefined)?.['x-death']
  const [death] = (Array.isArray(deaths) ? deaths : []) as Array<{ reason?: unknown, count?: unknown } | null | undefined>
  const reason = typeof death?.reason === 'string' ? death.reason.slice(0, 100) : 'for no reason given'
  return { reason, count: Math.max(countOf(death?.count), 1) }
}

function countOf (value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.trunc(value), HIGHEST_COUNT) : 0
}
