import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { freePort } from '../../local/ports.js'
import { inTransaction } from '../../src/store/database.js'
import { applyBatch } from '../../src/worker/batch.js'
import { findBrowser, openBrowser } from '../support/browser.js'
import { placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { registration } from '../support/people.js'
import { openPlace, openPool } from '../support/place.js'
import { type Process, runComanda } from '../support/processes.js'

const chromium = findBrowser()
const place = await openPlace(t)
const pool = openPool(t, place)

async function startApi (t: Test, port: number): Promise<Process> {
  const api = runComanda(t, ['api'], { ...place.env, AMQP_URL: '', PORT: String(port) })
  await api.said('postgres_up')
  await api.said('started')
  return api
}

/** The client as a page gets it. */
async function bundled (): Promise<string> {
  const { outputFiles } = await build({ entryPoints: ['clients/typescript/follow/index.ts'], bundle: true, write: false, format: 'iife', globalName: 'client', target: 'chrome100' })
  return outputFiles[0]!.text
}

t.test('in a browser followEvents tells the whole history, each event once, over an api that is killed and a page that was offline', { skip: chromium === null && 'no chromium on this machine' }, async (t) => {
  const port = await freePort()
  const baseUrl = `http://127.0.0.1:${port}`
  let api = await startApi(t, port)
  const post = async <Answer>(path: string, body: object) => await fetch(`${baseUrl}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then(async (answer) => await answer.json() as Answer)
  const { nick_name, password, ...person } = registration()
  const { user_id } = await post<{ user_id: number }>('/users', { nick_name, password, ...person })
  const { access_token: token } = await post<{ access_token: string }>('/auth/token', { nick_name, password })

  const browser = await openBrowser(t, chromium!)
  const context = await browser.newContext()
  const page = await context.newPage()
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))
  await page.goto(`${baseUrl}/livez`)
  await page.addScriptTag({ content: await bundled() })
  await page.evaluate(`
    globalThis.told = []
    globalThis.over = new AbortController()
    globalThis.following = (async () => {
      for await (const { event } of client.followEvents({ baseUrl: location.origin, token: () => ${JSON.stringify(token)}, after: 0, signal: over.signal })) told.push(event.id)
    })()
    null`)
  const told = async () => await page.evaluate('told') as string[]
  const booked: string[] = []
  const book = async () => {
    const some = Array.from({ length: 20 }, () => placement(user_id))
    await inTransaction(pool, async (client) => await applyBatch(client, some))
    booked.push(...some.map(({ event_id }) => event_id).sort())
  }
  const allTold = async () => await eventually('all are told', async () => (await told()).length >= booked.length)

  await book()
  await allTold()
  api.child.kill('SIGKILL')
  await api.exited
  await book()
  api = await startApi(t, port)
  await allTold()
  await context.setOffline(true)
  await book()
  await context.setOffline(false)
  await allTold()
  t.strictSame(await told(), booked)
  await page.evaluate('over.abort(), following')
  t.strictSame(errors, [])
})
