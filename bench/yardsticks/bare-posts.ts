/** So many POSTs of an event's size by the client that webhooks are sent with, and nothing else: no signature, no rows. */
import { Agent, request } from 'node:http'

interface Job { url: string, posts: number, atOnce: number }

const BODY = Buffer.alloc(900, 'x')
const agent = new Agent({ keepAlive: true })

async function post (url: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request(url, { method: 'POST', agent, headers: { 'content-type': 'application/cloudevents+json', 'content-length': BODY.length } }, (response) => {
      response.resume().once('close', resolve)
    }).on('error', reject).end(BODY)
  })
}

async function run ({ url, posts, atOnce }: Job): Promise<{ rate: number, cpu_us: number }> {
  let left = posts
  const [started, used] = [performance.now(), process.cpuUsage()]
  await Promise.all(Array.from({ length: atOnce }, async () => { while (left-- > 0) await post(url) }))
  const { user, system } = process.cpuUsage(used)
  return { rate: posts / (performance.now() - started) * 1000, cpu_us: (user + system) / posts }
}

process.on('disconnect', () => process.exit())
process.on('message', (job: Job) => {
  run(job).then((result) => process.send?.(result), (error: Error) => process.send?.({ error: error.message }))
})
