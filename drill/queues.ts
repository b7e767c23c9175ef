import { type ChannelModel, connect } from 'amqplib'
import { DEAD_QUEUE, ORDERS_QUEUE } from '../src/broker/topology.js'
import type { DrillService } from './own-service.js'
import { rabbitmqctl } from './services.js'

const QUEUES = [ORDERS_QUEUE, DEAD_QUEUE]

/** Asks the broker how many messages wait, on a connection of its own that is opened again after each loss. */
export class QueueGauge {
  readonly #broker: DrillService
  #connection: ChannelModel | null = null

  constructor (broker: DrillService) {
    this.#broker = broker
  }

  /** Messages ready in the orders queue, fresh; null while the broker does not answer. */
  async ready (): Promise<number | null> {
    try {
      this.#connection ??= await this.#open()
      const channel = await this.#connection.createChannel()
      channel.on('error', () => {})
      const { messageCount } = await channel.checkQueue(ORDERS_QUEUE)
      await channel.close()
      return messageCount
    } catch {
      await this.close()
      return null
    }
  }

  async close (): Promise<void> {
    const connection = this.#connection
    this.#connection = null
    await connection?.close().catch(() => {})
  }

  async #open (): Promise<ChannelModel> {
    const connection = await connect(this.#broker.url, { timeout: 1000, noDelay: true })
    const lose = () => { this.#connection = null }
    connection.on('error', lose)
    connection.on('close', lose)
    return connection
  }
}

/**
 * All messages of both queues, held by consumers and by dead lettering too, asked of the queue's own state: what
 * `rabbitmqctl list_queues` prints comes from a table that lags by seconds.
 */
export async function totalMessages (broker: DrillService): Promise<number> {
  const names = QUEUES.map((name) => `<<"${name}">>`).join(',')
  const code = 'lists:sum([begin ' +
    '{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, N)), ' +
    '{ok, Total, _} = ra:consistent_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1, 5000), Total ' +
    `end || N <- [${names}]]).`
  const printed = (await rabbitmqctl(broker, 'eval', code)).trim()
  if (!/^\d+$/.test(printed)) throw new Error(`the queues cannot be counted: ${printed}`)
  return Number(printed)
}
