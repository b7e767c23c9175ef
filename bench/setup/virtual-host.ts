import { connect } from 'amqplib'
import type { LocalService } from '../../local/services.js'
import { createVirtualHosts, deleteVirtualHosts } from '../../local/vhosts.js'
import { DEAD_QUEUE, INTAKE_EXCHANGE, ORDERS_QUEUE } from '../../src/broker/topology.js'
import type { Cleanup } from '../../testkit/cleanup.js'

export interface Broker { url: string, facts: Record<string, string> }

/**
 * A virtual host of our own; where no rabbitmqctl reaches the broker the one in the URL, if nothing of comanda is in it.
 * @throws Error when it is in use
 */
export async function ownVirtualHost (rabbit: LocalService, name: string, cleanup: Cleanup): Promise<Broker> {
  if (rabbit.url === null) throw new Error(`the bench needs all three services. ${rabbit.how}`)
  cleanup.add(`virtual host ${name}`, () => deleteVirtualHosts(rabbit, [name]))
  if (await createVirtualHosts(rabbit, [name])) {
    const url = new URL(rabbit.url)
    url.pathname = `/${name}`
    return { url: url.href, facts: { version: await versionOf(url.href), virtual_host: 'its own' } }
  }
  for (const queue of [ORDERS_QUEUE, DEAD_QUEUE]) {
    if (await isThere(rabbit.url, queue)) throw new Error(`there is a queue ${queue} in the broker's virtual host: give BENCH_AMQP_URL one that nobody uses`)
  }
  const { url } = rabbit
  cleanup.add('queues', () => removeTopology(url))
  return { url, facts: { version: await versionOf(url), virtual_host: 'as given' } }
}

async function versionOf (url: string): Promise<string> {
  const connection = await connect(url)
  const { version } = connection.connection.serverProperties
  await connection.close()
  return version
}

/** Asked on a connection of its own: the broker answers a missing queue by closing the channel. */
async function isThere (url: string, queue: string): Promise<boolean> {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  channel.on('error', () => {})
  const found = await channel.checkQueue(queue).then(() => true, () => false)
  await connection.close()
  return found
}

async function removeTopology (url: string): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  for (const queue of [ORDERS_QUEUE, DEAD_QUEUE]) await channel.deleteQueue(queue)
  await channel.deleteExchange(INTAKE_EXCHANGE)
  await connection.close()
}
