import { createServer, request as forward } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { newId } from '../../src/ids.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { createJob } from '../../src/store/jobs.js'
import { park, parkedId } from '../../src/store/parked-events.js'
import { startApi, startWorker } from '../support/apps.js'
import { findBrowser, openBrowser } from '../support/browser.js'
import { listening, logIn, openContext, openPage } from '../support/console.js'
import { placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { booked, newcomer, newOperator } from '../support/people.js'
import { needs, openPlace, openPool } from '../support/place.js'
import { insertUsersEndpoint } from '../support/webhooks.js'

/** Every page of the console as different people meet it: by axe, under a prefix, in the dark, on a telephone, from elsewhere. */
const chromium = findBrowser()
const { skip = chromium === null && 'no chromium on this machine' } = needs('redis', 'rabbitmq')
const real = { skip }
const place = await openPlace(t)
const pool = openPool(t, place)
const ready = skip === false
const api = ready ? await startApi(t, place) : null!
if (ready) await startWorker(t, place)
const operator = ready ? await newOperator(api, place) : null!
const ana = ready ? await newcomer(api) : null!
const browser = ready ? await openBrowser(t, chromium!) : null!
const address = ready ? await listening(api) : ''
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Something on every page. @returns their addresses behind `#` */
async function furnish (): Promise<string[]> {
  const { order_id: order } = await booked(api, ana)
  const raw = Buffer.from(serializeEvent(placement(ana.user_id)).json)
  await park(pool, [{ source: 'queue', reason: 'unknown_user', attempts: 2, headers: { note: 'x' }, raw }])
  const { webhook_id: webhook } = await insertUsersEndpoint(pool, place.env.DATA_KEYS!, ana.user_id, 'http://127.0.0.1:9/hook')
  await pool.query("insert into webhook_deliveries (webhook_id, message_id, type, state, next_attempt_at, settled_at, attempts) values ($1, 'x', 'comanda.ping', 'given_up', null, now(), $2)", [webhook, JSON.stringify([{ at: new Date().toISOString(), status: 500, failure: 'status', ms: 12, bytes: 3 }])])
  const { job_id: job } = await createJob(pool, { job_id: newId(), kind: 'parked.replay', selection: { reason: 'nothing' }, by: { actor: 'cli:ana', role: null, way: 'cli', request_id: null } })
  return ['', 'orders', `orders/${order}`, 'parked', `parked/${parkedId(raw)}`, `jobs/${job}`, 'webhooks', `webhooks/${webhook}`, 'users', 'actions', `orders/${newId()}`]
}

interface Found { id: string, impact: string, nodes: Array<{ html: string, failureSummary: string }> }

async function serious (page: { evaluate (script: string): Promise<unknown> }): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations } = await page.evaluate('axe.run()') as { violations: Found[] }
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`)
}

for (const { name, ...look } of [
  { name: 'light, wide', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'dark, wide', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { name: 'light, on a telephone', colorScheme: 'light', viewport: { width: 375, height: 740 } },
  { name: 'dark, on a telephone', colorScheme: 'dark', viewport: { width: 375, height: 740 } }
] as const) {
  t.test(`${name}: axe finds nothing serious on any page, nothing is wider than the window, and the browser says nothing`, real, async (t) => {
    const one = await openPage(t, await openContext(t, browser, look))
    await one.page.goto(address)
    await one.page.getByRole('button', { name: 'Log in' }).waitFor()
    t.strictSame(await serious(one.page), [], 'log in')
    await logIn(one, address, operator)
    const pages = await furnish()
    for (const path of pages) {
      await one.page.goto(`${address}#/${path}`)
      await one.page.locator('h1').waitFor()
      await one.page.locator('.skeleton').first().waitFor({ state: 'detached' })
      t.strictSame(await serious(one.page), [], path)
      t.ok(await one.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${path} fits`)
      if (process.env.SCREENSHOTS) await one.page.screenshot({ path: `${process.env.SCREENSHOTS}/${look.colorScheme}-${look.viewport.width}-${pages.indexOf(path)}.png`, fullPage: true })
    }
    t.strictSame(one.complaints.filter((complaint) => !/status of 404/.test(complaint)), [], 'but for the order that does not exist')
  })
}

t.test('nothing jumps while a page loads', real, async (t) => {
  const one = await openPage(t, await openContext(t, browser, { viewport: { width: 375, height: 740 } }))
  await one.page.addInitScript("globalThis.shift = 0; new PerformanceObserver((list) => { for (const { value } of list.getEntries()) shift += value }).observe({ type: 'layout-shift', buffered: true })")
  await logIn(one, address, operator)
  for (const path of await furnish()) {
    await one.page.goto('about:blank')
    await one.page.goto(`${address}#/${path}`)
    await one.page.locator('h1').waitFor()
    await one.page.locator('.skeleton').first().waitFor({ state: 'detached' })
    await one.page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
    const shift = await one.page.evaluate('shift') as number
    t.ok(shift < 0.05, `${path}: ${shift}`) // 0.1 is still called good (web.dev, Cumulative Layout Shift)
  }
})

/** A proxy that serves the api below a path, and tells it nothing of that. */
async function startProxy (t: Test, prefix: string): Promise<string> {
  const target = new URL(address)
  const server = createServer((asked, answer) => {
    if (!asked.url!.startsWith(`${prefix}/`)) return answer.writeHead(404).end()
    const path = asked.url!.slice(prefix.length)
    asked.pipe(forward({ host: target.hostname, port: target.port, method: asked.method, path, headers: asked.headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers)
      response.pipe(answer)
      answer.on('close', () => response.destroy())
    }).on('error', () => answer.destroy()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}/console`
}

t.test('below a path prefix, behind a proxy, all of it works', real, async (t) => {
  const proxied = await startProxy(t, '/shop/back')
  const order = await booked(api, ana)
  const one = await openPage(t, await openContext(t, browser))
  await logIn(one, proxied, operator)
  t.equal(new URL(one.page.url()).pathname, '/shop/back/console/')
  await one.page.goto(`${proxied}/#/orders/${order.order_id}`)
  await one.page.getByRole('button', { name: 'Cancel the order' }).click()
  await one.page.getByRole('dialog').getByRole('button', { name: 'Cancel the order' }).click()
  await one.page.locator('.facts').getByText('cancelled').waitFor()
  t.strictSame(one.complaints, [])
})

t.test('a session is a cookie that no script reads; signing out ends it in every window, and a customer gets none', real, async (t) => {
  const context = await openContext(t, browser)
  const [one, other] = [await openPage(t, context), await openPage(t, context)]
  const person = await newOperator(api, place)
  await one.page.goto(address)
  await one.page.getByLabel('Name').fill(ana.nick_name)
  await one.page.getByLabel('Password').fill(ana.password)
  await one.page.getByRole('button', { name: 'Log in' }).click()
  await one.page.getByText('Only operators may do this.').waitFor()
  t.strictSame(await context.cookies(), [])
  await logIn(one, address, person)
  const [cookie] = await context.cookies()
  t.match(cookie, { name: 'comanda_session', httpOnly: true, sameSite: 'Strict', secure: false, expires: -1 })
  t.equal(await one.page.evaluate('document.cookie'), '')
  await other.page.goto(address)
  await other.page.getByRole('heading', { name: 'Overview' }).waitFor()
  await one.page.getByRole('button', { name: 'Sign out' }).click()
  await one.page.getByRole('button', { name: 'Log in' }).waitFor()
  await other.page.getByRole('button', { name: 'Log in' }).waitFor()
  t.strictSame(await context.cookies(), [])
})

t.test('a session is renewed while the page is in use, past the life of its token, and ends with a new password', real, async (t) => {
  const short = await startApi(t, place, { TOKEN_SECONDS: '4' })
  const person = await newOperator(api, place)
  const one = await openPage(t, await openContext(t, browser))
  let renewals = 0
  one.page.on('response', (response) => { if (response.url().endsWith('/console/session/renew') && response.ok()) renewals++ })
  await logIn(one, await listening(short), person)
  await eventually('it was renewed again and again', () => renewals >= 3)
  await one.page.getByRole('heading', { name: 'Services' }).waitFor()
  t.strictSame(one.complaints, [])
  await api.inject({ method: 'PUT', url: '/users/me/password', headers: person.headers, payload: { password: person.password, new_password: 'nine quiet lanterns' } })
  await one.page.getByRole('button', { name: 'Log in' }).waitFor()
})

t.test('what another page posts or fetches with an operator\'s cookie is refused, though it is of the same site', real, async (t) => {
  const order = await booked(api, ana)
  const context = await openContext(t, browser)
  const one = await openPage(t, context)
  await logIn(one, address, operator)
  // Another port is another origin, and the same site: the browser sends the cookie along.
  const evil = createServer((_asked, answer) => { answer.setHeader('content-type', 'text/html').end(`<form method="post" action="${new URL('/parked/discard', address).href}" enctype="text/plain"><input name='{"reason":"x","text":"' value='"}'></form>`) })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  t.teardown(() => evil.close())
  const page = await context.newPage()
  const asked: Array<{ method: string, status: number, cookie: boolean }> = []
  page.on('response', async (response) => {
    if (!response.url().startsWith(new URL('/', address).href)) return
    asked.push({ method: response.request().method(), status: response.status(), cookie: (await response.request().allHeaders()).cookie !== undefined })
  })
  await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  await page.evaluate(`fetch(${JSON.stringify(new URL(`/orders/${order.order_id}`, address).href)}, { method: 'DELETE', credentials: 'include', mode: 'cors' }).catch(() => null)`)
  await page.evaluate(`fetch(${JSON.stringify(new URL('/parked/discard', address).href)}, { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' }).catch(() => null)`)
  const answered = page.waitForNavigation()
  await page.evaluate('document.forms[0].submit()')
  t.equal((await answered)!.status(), 403)
  t.match(await page.content(), /cross-origin/)
  t.ok(asked.some(({ method, cookie }) => method === 'POST' && cookie), 'the cookie came along')
  t.ok(asked.every(({ method, status }) => method === 'OPTIONS' ? status >= 400 : status === 403), JSON.stringify(asked))
  t.equal((await pool.query<{ status: string }>('select status from orders where order_id = $1', [order.order_id])).rows[0]!.status, 'confirmed')
  t.equal((await pool.query("select from jobs where kind = 'parked.discard'")).rowCount, 0)
  const forged = await api.inject({ method: 'POST', url: '/console/session/renew', headers: { cookie: (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ') } })
  t.equal(forged.statusCode, 403, 'nor without any Origin')
})

t.test('behind a proxy that speaks https the cookie is for https alone', real, async (t) => {
  const proxied = await startApi(t, place, { TRUST_PROXY: '127.0.0.1' })
  const { nick_name, password } = operator
  const headers = { host: 'shop.example', origin: 'https://shop.example', 'x-forwarded-proto': 'https' }
  const answer = await proxied.inject({ method: 'POST', url: '/console/session', headers, payload: { nick_name, password } })
  t.match(answer.headers['set-cookie'], /^comanda_session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
})

t.test('CONSOLE=off: there is no page, and no cookie is taken', real, async (t) => {
  const off = await startApi(t, place, { CONSOLE: 'off' })
  for (const url of ['/console', '/console/', '/console/session']) t.equal((await off.inject(url)).statusCode, 404, url)
  const cookie = `comanda_session=${operator.headers.authorization.slice('Bearer '.length)}`
  t.equal((await off.inject({ url: '/overview', headers: { cookie } })).statusCode, 401)
  t.equal((await api.inject({ url: '/overview', headers: { cookie } })).statusCode, 200)
})
