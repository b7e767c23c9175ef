/** Makes HTTP load in a process of its own, so that neither the bench nor what it measures shares a thread with it. */
import autocannon from 'autocannon'
import { latencyOf } from '../figures.js'
import type { LoadJob, LoadResult } from './load.js'

const ORDER = { item_description: 'Café especial 250 g, torra média ☕', item_quantity: 2, item_price: 4990 }

function load (job: LoadJob): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const answers = new Answers()
    const cpu = process.cpuUsage()
    const run = autocannon({
      url: job.url,
      connections: job.connections,
      sampleInt: 100,
      ...request(job),
      ...(job.amount === undefined ? { duration: job.seconds } : { amount: job.amount })
    }, (error: unknown, result) => {
      if (error) return reject(error instanceof Error ? error : new Error(String(error)))
      if (answers.times.length === 0) return reject(new Error('not one answer'))
      const { user, system } = process.cpuUsage(cpu)
      const { seconds } = answers
      resolve({
        accepted: result['2xx'],
        sent: result.requests.sent,
        refused: Object.fromEntries(Object.entries(result.statusCodeStats ?? {}).filter(([status]) => !status.startsWith('2')).map(([status, { count = 0 }]) => [status, count])),
        errors: result.errors,
        seconds,
        rate: result['2xx'] / seconds,
        latency_ms: latencyOf(Float64Array.from(answers.times)),
        per_second: answers.perSecond.slice(0, -1),
        load_cpu: (user + system) / 1e6 / seconds
      })
    })
    run.on('response', (_client, _status, _bytes, ms) => answers.add(ms))
  })
}

function request ({ token, batch, read }: LoadJob): Partial<autocannon.Options> {
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
  if (read) return { method: 'GET', headers: authorization, requests: read.map((path) => ({ path })) }
  const body = JSON.stringify(batch === undefined ? ORDER : Array.from({ length: batch }, () => ORDER))
  return { method: 'POST', headers: { 'content-type': 'application/json', ...authorization }, body }
}

/** autocannon's own latencies are whole milliseconds, and it notices the end only at its next sample. */
class Answers {
  readonly #started = performance.now()
  #ended = this.#started
  readonly times: number[] = []
  readonly perSecond: number[] = []

  get seconds (): number {
    return (this.#ended - this.#started) / 1000
  }

  add (ms: number): void {
    this.times.push(ms)
    this.#ended = performance.now()
    const second = Math.floor((this.#ended - this.#started) / 1000)
    while (this.perSecond.length <= second) this.perSecond.push(0)
    this.perSecond[second]!++
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (job: LoadJob) => {
  load(job).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message })
  )
})
