import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from './clients.js'
import type { History } from './history.js'

const WARM_UP_LIMIT_MS = 30_000
const READERS = 24
const READ_TRIES = 5

/**
 * Every client places an order and sees it confirmed. A quorum queue whose node is killed moments after it was declared may stay
 * without a leader for good (RabbitMQ 3.10.8); one that has carried orders comes back. @throws Error when it takes too long
 */
export async function warmUp (clients: readonly Client[]): Promise<void> {
  const deadline = Date.now() + WARM_UP_LIMIT_MS
  await Promise.all(clients.map(async (client) => {
    const [order] = await client.place()
    if (order === undefined) throw new Error('the first orders are not accepted')
    while ((await client.read(order.order_id)).seen[0]?.status !== 'confirmed') {
      if (Date.now() > deadline) throw new Error(`order ${order.order_id} is not confirmed`)
      await wait(200)
    }
  }))
}

/** Every accepted order is read once by its owner, again where there was no answer. */
export async function readBack (clients: readonly Client[], { ops }: History): Promise<void> {
  const owners = new Map(clients.map((client) => [client.person.name, client]))
  const orders = new Map(ops.filter(({ kind, outcome }) => kind === 'place' && outcome === 'ok')
    .flatMap(({ client, seen }) => seen.map(({ order_id }) => [order_id, owners.get(client)!] as const)))
  const left = [...orders].values()
  await Promise.all(Array.from({ length: READERS }, async () => {
    for (const [orderId, client] of left) {
      for (let tries = 0; tries < READ_TRIES; tries++) {
        const { outcome, problem } = await client.read(orderId)
        if (outcome !== 'info' && problem !== 'order-not-visible-yet') break
        await wait(500)
      }
    }
  }))
}
