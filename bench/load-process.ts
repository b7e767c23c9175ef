/** Makes HTTP load in a process of its own, so that neither the bench nor what it measures shares a thread with it. */
import autocannon from 'autocannon'
import type { LoadJob, LoadResult } from './load.js'

function load ({ url, connections, token, seconds, amount }: LoadJob): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const cpu = process.cpuUsage()
    let ended = started
    const run = autocannon({
      url,
      connections,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ item_description: 'Café especial 250 g, torra média ☕', item_quantity: 2, item_price: 4990 }),
      sampleInt: 100,
      ...(amount === undefined ? { duration: seconds } : { amount })
    }, (error: unknown, result) => {
      if (error) return reject(error instanceof Error ? error : new Error(String(error)))
      const length = (ended - started) / 1000
      const { user, system } = process.cpuUsage(cpu)
      const { latency } = result
      resolve({
        accepted: result['2xx'],
        sent: result.requests.sent,
        refused: Object.fromEntries(Object.entries(result.statusCodeStats ?? {}).filter(([status]) => !status.startsWith('2')).map(([status, { count = 0 }]) => [status, count])),
        errors: result.errors,
        seconds: length,
        rate: result['2xx'] / length,
        latency_ms: { p50: latency.p50, p97_5: latency.p97_5, p99: latency.p99, max: latency.max },
        load_cpu: (user + system) / 1e6 / length
      })
    })
    // autocannon itself notices the end only at its next sample
    run.on('response', () => { ended = performance.now() })
  })
}

process.on('disconnect', () => process.exit())
process.on('message', (job: LoadJob) => {
  load(job).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message })
  )
})
