import type { ConsumeMessage } from 'amqplib'

/** What the broker and the publisher say of a message, for an operator who reads it in the parking lot. */
export function headersOf ({ properties }: ConsumeMessage): Record<string, unknown> {
  const { messageId, contentType, headers } = properties
  return { messageId: messageId as unknown, contentType: contentType as unknown, ...headers }
}

/** How often the message was delivered, this time included: quorum queues count it (RabbitMQ, "Quorum Queues", poison messages). */
export function deliveriesOf ({ properties }: ConsumeMessage): number {
  return Number(properties.headers?.['x-delivery-count'] ?? 0) + 1
}
