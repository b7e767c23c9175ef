/**
 * Orders that come by a schedule, whatever becomes of the earlier ones (an open loop), and a look, about once a millisecond,
 * for the rows of those that were answered. In a process of its own; both clocks are this process's.
 */
import { Agent, request } from 'node:http'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { latencyOf } from '../figures.js'
import type { Arrivals, ArrivalsJob } from './arrivals.js'

const BODY = JSON.stringify({ item_description: 'Café especial 250 g, torra média ☕', item_quantity: 2, item_price: 4990 })
const CONNECTIONS = 256
/** Looked for at a time: where more wait, the last of them are late anyhow. */
const LOOKED_FOR = 500
const LOOK_MS = 1
const LIMIT_MS = 30_000

interface Order { due: number, answered: number }

class Run {
  readonly #job: ArrivalsJob
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  readonly #awaited = new Map<string, Order>()
  readonly #answers: number[] = []
  readonly #toRow: number[] = []
  readonly #wholeWay: number[] = []
  readonly #looks: number[] = []
  #failure: Error | null = null
  #unanswered = 0

  constructor (job: ArrivalsJob) {
    this.#job = job
  }

  async make (): Promise<Arrivals> {
    const client = new pg.Client({ connectionString: this.#job.databaseUrl, application_name: 'comanda bench, looking' })
    await client.connect()
    const [started, cpu] = [performance.now(), process.cpuUsage()]
    try {
      const coming = this.#come()
      const looking = this.#look(client, coming)
      await Promise.all([coming, looking])
    } finally {
      this.#agent.destroy()
      await client.end()
    }
    const { user, system } = process.cpuUsage(cpu)
    return {
      orders: this.#toRow.length,
      answer_ms: latencyOf(Float64Array.from(this.#answers)),
      to_row_ms: latencyOf(Float64Array.from(this.#toRow)),
      whole_way_ms: latencyOf(Float64Array.from(this.#wholeWay)),
      resolution_ms: latencyOf(Float64Array.from(this.#looks)),
      asking_cpu: (user + system) / 1000 / (performance.now() - started)
    }
  }

  async #come (): Promise<void> {
    const { rate, seconds } = this.#job
    const started = performance.now()
    for (let sent = 0; sent < rate * seconds && !this.#failure; await wait(1)) {
      const due = Math.min(rate * seconds, Math.floor((performance.now() - started) / 1000 * rate) + 1)
      for (; sent < due; sent++) this.#place(started + sent / rate * 1000)
    }
  }

  #place (due: number): void {
    const { url, token } = this.#job
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) }
    this.#unanswered++
    const asked = request(url, { method: 'POST', agent: this.#agent, headers }, (answer) => {
      const answered = performance.now()
      this.#unanswered--
      answer.resume()
      if (answer.statusCode !== 202) return this.#fail(new Error(`answered ${answer.statusCode}`))
      this.#answers.push(answered - due)
      this.#awaited.set(answer.headers.location!.slice('/orders/'.length), { due, answered })
    })
    asked.on('error', (error) => this.#fail(error))
    asked.end(BODY)
  }

  async #look (client: pg.Client, coming: Promise<void>): Promise<void> {
    const schedule = { over: false }
    void coming.then(() => { schedule.over = true })
    let [before, progress] = [performance.now(), performance.now()]
    while (!schedule.over || this.#unanswered + this.#awaited.size > 0) {
      if (this.#failure) throw this.#failure
      const asked = performance.now()
      const looked = this.#awaited.size > 0
      if (looked && await this.#see(client) > 0) progress = performance.now()
      const now = performance.now()
      if (looked) this.#looks.push(now - before)
      before = now
      if (now - progress > LIMIT_MS) throw new Error(`${this.#awaited.size} orders were answered and no row came in ${LIMIT_MS / 1000} s`)
      await (now - asked < LOOK_MS ? wait(LOOK_MS) : turn())
    }
  }

  async #see (client: pg.Client): Promise<number> {
    const ids = [...this.#awaited.keys()].slice(0, LOOKED_FOR)
    const { rows } = await client.query<{ order_id: string }>({ name: 'look', text: 'select order_id from orders where order_id = any($1::uuid[])', values: [ids] })
    const seen = performance.now()
    for (const { order_id } of rows) {
      const { due, answered } = this.#awaited.get(order_id)!
      this.#awaited.delete(order_id)
      this.#toRow.push(seen - answered)
      this.#wholeWay.push(seen - due)
    }
    return rows.length
  }

  #fail (error: Error): void {
    this.#failure ??= error
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (job: ArrivalsJob) => {
  new Run(job).make().then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message })
  )
})
