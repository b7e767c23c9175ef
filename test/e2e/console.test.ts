import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { serializeEvent } from '../../src/orders/envelope.js'
import { park, parkedId } from '../../src/store/parked-events.js'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { findBrowser, openBrowser } from '../support/browser.js'
import { listening, logIn, openContext, openPage } from '../support/console.js'
import { placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { booked, line, newcomer, newOperator, place as placeOrder, type Shown } from '../support/people.js'
import { needs, openPlace, openPool } from '../support/place.js'
import { openReceiver } from '../support/receiver.js'
import { scrape, valueOf } from '../support/scrape.js'

/** The operators' page, in a real browser, over the real processes. */
const chromium = findBrowser()
const { skip = chromium === null && 'no chromium on this machine' } = needs('redis', 'rabbitmq')
const real = { skip }
const place = await openPlace(t)
const pool = openPool(t, place)
const ready = skip === false
const api = ready ? await startApi(t, place) : null!
if (ready) {
  await startWorker(t, place)
  await startRelay(t, place)
}
const operator = ready ? await newOperator(api, place) : null!
const ana = ready ? await newcomer(api) : null!
const browser = ready ? await openBrowser(t, chromium!) : null!
const address = ready ? await listening(api) : ''

async function parkMany (count: number, reason: string): Promise<string[]> {
  const raws = Array.from({ length: count }, () => Buffer.from(serializeEvent(placement(ana.user_id)).json))
  await park(pool, raws.map((raw) => ({ source: 'queue', reason, attempts: 1, headers: {}, raw })))
  return raws.map(parkedId)
}

t.test('an operator logs in, finds an order and moves it, and a second window sees it move', real, async (t) => {
  const order = await booked(api, ana, { item_description: '<img src=x onerror="document.title=\'owned\'">' })
  const context = await openContext(t, browser)
  const [first, second] = [await openPage(t, context), await openPage(t, context)]
  await logIn(first, address, operator)
  await second.page.goto(`${address}#/orders`)
  const row = second.page.locator(`[data-order="${order.order_id}"]`)
  await row.getByText('confirmed').waitFor()

  await first.page.getByRole('link', { name: 'Orders' }).click()
  await first.page.getByLabel('Order id or user id').fill(order.order_id)
  await first.page.getByRole('button', { name: 'Find' }).click()
  await first.page.getByRole('heading', { name: /^Order / }).waitFor()
  await first.page.getByText('<img src=x onerror=').first().waitFor()
  await first.page.getByRole('button', { name: 'Mark as paid' }).click()
  await first.page.getByRole('dialog').getByRole('button', { name: 'Mark as paid' }).click()
  await first.page.locator('.facts').getByText('paid', { exact: true }).waitFor()
  await first.page.locator('.timeline li').nth(1).getByText('applied').waitFor()
  await row.getByText('paid').waitFor()
  t.notMatch(await first.page.title(), /owned/)
  t.equal(await first.page.locator('.timeline code').first().textContent(), (await pool.query<{ request_id: string }>('select request_id from order_events where order_id = $1 and version = 1', [order.order_id])).rows[0]!.request_id)
  t.strictSame([first.complaints, second.complaints], [[], []])
})

t.test('of a thousand parked events those of one reason are previewed, replayed, watched and stopped, and the audit knows', real, async (t) => {
  const [gone, other] = [await parkMany(800, 'unknown_user'), await parkMany(150, 'attempts_exhausted')]
  await parkMany(50, 'not_storable')
  const one = await openPage(t, await openContext(t, browser))
  const { page } = one
  await logIn(one, address, operator)
  await page.getByRole('link', { name: 'Parking lot' }).click()
  await page.getByRole('row', { name: /unknown_user queue 800/ }).getByRole('link').click()
  await page.getByRole('button', { name: 'Replay all that match' }).click()
  await page.getByRole('dialog').getByRole('heading', { name: 'Replay 800 parked events?' }).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const bar = page.locator('.job').first()
  await bar.getByText(/ (50|75|1\d\d|2\d\d|3\d\d) of 800/).waitFor()
  await bar.getByRole('button', { name: 'Stop it' }).click()
  await bar.getByText('cancelled').waitFor()
  const { rows: [counted] } = await pool.query<{ replayed: number, others: number }>("select count(*) filter (where settlement = 'replayed' and hash = any($1))::integer as replayed, count(*) filter (where settlement is not null and hash = any($2))::integer as others from parked_events",
    [gone.map((id) => Buffer.from(id, 'hex')), other.map((id) => Buffer.from(id, 'hex'))])
  t.ok(counted!.replayed >= 50 && counted!.replayed < 800, `${counted!.replayed} were replayed`)
  t.equal(counted!.others, 0, 'and none of another reason')
  await bar.getByText(`${counted!.replayed} of 800`).waitFor()

  await bar.getByRole('link', { name: 'Replay' }).click()
  await page.getByRole('link', { name: 'Who asked for it, and who stopped it' }).click()
  await page.getByRole('row', { name: /console job\.cancelled/ }).waitFor()
  await page.getByRole('row', { name: new RegExp(`operator:${operator.user_id} console job\\.created`) }).waitFor()
  t.strictSame(one.complaints, [])
})

t.test('what is selected is discarded, and shows as discarded, never as replayed', real, async (t) => {
  const ids = await parkMany(2, 'defect')
  const one = await openPage(t, await openContext(t, browser))
  const { page } = one
  await logIn(one, address, operator)
  await page.goto(`${address}#/parked?reason=defect`)
  for (const id of ids) await page.getByLabel(`Select ${id.slice(0, 12)}`).check()
  await page.getByRole('button', { name: 'Discard 2 selected' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click()
  await eventually('both are discarded', async () => (await pool.query("select from parked_events where settlement = 'discarded' and hash = any($1)", [ids.map((id) => Buffer.from(id, 'hex'))])).rowCount === 2)
  await page.goto(`${address}#/parked/${ids[0]}`)
  await page.locator('.facts').getByText('discarded').waitFor()
  t.equal(await page.getByRole('button', { name: 'Replay' }).isDisabled(), true)
  await page.getByText(`by operator:${operator.user_id}`).waitFor()
  t.strictSame(one.complaints, [])
})

t.test('with the keyboard alone an operator logs in and replays a parked event', real, async (t) => {
  const [id] = await parkMany(1, 'keyboard')
  const { page, complaints } = await openPage(t, await openContext(t, browser))
  await page.goto(address)
  const { keyboard } = page
  await page.getByLabel('Name').waitFor()
  await keyboard.type(operator.nick_name)
  await keyboard.press('Tab')
  await keyboard.type(operator.password)
  await keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  const focused = async () => await page.evaluate("document.activeElement.textContent || document.activeElement.getAttribute('aria-label')") as string
  const tabTo = async (name: string | RegExp) => {
    for (let presses = 0; presses < 60; presses++) {
      await keyboard.press('Tab')
      const now = await focused()
      if (typeof name === 'string' ? now === name : name.test(now)) return
    }
    throw new Error(`the keyboard never comes to ${name}`)
  }
  await keyboard.press('Shift+Tab')
  await page.evaluate('document.activeElement.blur()')
  await tabTo('Parking lot')
  await keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Parking lot' }).waitFor()
  await page.getByRole('link', { name: 'keyboard' }).waitFor()
  await tabTo('keyboard')
  await keyboard.press('Enter')
  await page.getByLabel(`Select ${id!.slice(0, 12)}`).waitFor()
  await tabTo(`Select ${id!.slice(0, 12)}`)
  await keyboard.press('Space')
  await page.getByRole('button', { name: 'Replay 1 selected' }).waitFor()
  for (let presses = 0; await focused() !== 'Replay 1 selected' && presses < 40; presses++) await keyboard.press('Shift+Tab')
  await keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Replay 1 parked event?' }).waitFor()
  await tabTo('Replay')
  await keyboard.press('Enter')
  await eventually('it is replayed', async () => (await pool.query("select from parked_events where settlement = 'replayed' and hash = $1", [Buffer.from(id!, 'hex')])).rowCount === 1)
  t.strictSame(complaints, [])
})

t.test('a failed delivery of a webhook is delivered again', real, async (t) => {
  let well = false
  const receiver = await openReceiver(t, (response) => { response.writeHead(well ? 204 : 410).end() })
  const created = await api.inject({ method: 'POST', url: '/webhooks', headers: ana.headers, payload: { url: `${receiver.url}/hook` } })
  const { webhook_id: id } = created.json<{ webhook_id: string }>()
  await booked(api, ana)
  const one = await openPage(t, await openContext(t, browser))
  const { page } = one
  await logIn(one, address, operator)
  await page.getByRole('link', { name: 'Webhooks', exact: true }).click()
  await page.getByRole('row', { name: new RegExp(id.slice(0, 13)) }).getByRole('link').first().click()
  await page.locator('.facts').getByText('disabled gone').waitFor()
  await page.locator('.deliveries').getByText('410').first().waitFor()
  well = true
  await page.getByRole('button', { name: 'Enable' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click()
  await page.locator('.facts').getByText('enabled').first().waitFor()
  const again = page.getByRole('button', { name: 'Deliver again' }).first()
  await eventually('it can be delivered again, or was', async () => await again.isVisible() || receiver.calls.length > 1)
  await again.click()
  await page.getByRole('dialog').getByRole('button', { name: 'Deliver it again' }).click()
  await page.locator('.attempts').first().getByText('204').first().waitFor()
  t.strictSame(one.complaints, [])
})

t.test('an operator finds a user by name and makes an operator of them, by their own password', real, async (t) => {
  const bia = await newcomer(api)
  const one = await openPage(t, await openContext(t, browser))
  const { page } = one
  await logIn(one, address, operator)
  await page.getByRole('link', { name: 'Users' }).click()
  await page.getByLabel('User id or exact name').fill(bia.nick_name)
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByRole('button', { name: 'Make an operator' }).click()
  await page.getByLabel('Your own password').fill('a wrong guess')
  await page.getByRole('dialog').getByRole('button', { name: 'Make an operator' }).click()
  await page.getByText('The current password is incorrect.').waitFor()
  t.equal((await pool.query<{ role: string }>('select role from users where user_id = $1', [bia.user_id])).rows[0]!.role, 'customer')
  await page.getByLabel('Your own password').fill(operator.password)
  await page.getByRole('dialog').getByRole('button', { name: 'Make an operator' }).click()
  await page.getByRole('row', { name: bia.nick_name }).locator('.status').getByText('operator', { exact: true }).waitFor()
  t.match((await pool.query("select actor, way from actions where action = 'user.promoted' and target_id = $1", [String(bia.user_id)])).rows, [{ actor: `operator:${operator.user_id}`, way: 'console' }])
  t.strictSame(one.complaints.filter((complaint) => !complaint.includes('status of 403')), [], 'the browser itself tells of the refusal, and of nothing else')
})

t.test('the figures that the overview shows are those of /metrics and of the tables', real, async (t) => {
  const headers = operator.headers
  const overview = async () => (await api.inject({ url: '/overview', headers })).json<{ accepted: number, booked: number, parked: { open: number }, queue: { messages: number, workers: number }, fallback: { events: number }, webhooks: { enabled: number, failing: number, disabled: number } }>()
  const accepted = async () => valueOf(await scrape(api), 'comanda_order_events_accepted_total')!
  const before = { overview: await overview(), metrics: await accepted() }
  const placed = await Promise.all(Array.from({ length: 20 }, async () => (await placeOrder(api, ana, line)).json<Shown>().order_id))
  await eventually('they are booked', async () => (await pool.query('select from orders where order_id = any($1)', [placed])).rowCount === 20)
  const now = await eventually('all is told', async () => {
    const look = await overview()
    return look.accepted - before.overview.accepted === 20 && look.fallback.events === 0 && look
  })
  t.equal(await accepted() - before.metrics, 20)
  const one = async (text: string) => (await pool.query<{ value: number }>(text)).rows[0]!.value
  t.equal(now.booked, await one('select max(position)::integer as value from order_events'))
  t.equal(now.parked.open, await one('select count(*)::integer as value from parked_events where settlement is null'))
  t.equal(now.webhooks.enabled + now.webhooks.disabled, await one("select count(*)::integer as value from webhooks where state <> 'removed'"))
  t.match(now.queue, { messages: 0, workers: 1 })

  const { page, ...shown } = await openPage(t, await openContext(t, browser))
  await logIn({ page, ...shown }, address, operator)
  const tile = async (name: string) => await page.locator('.tile', { has: page.getByText(name, { exact: true }) }).locator('.value').textContent()
  await eventually('the page shows them', async () => await tile('Parked') === String(now.parked.open))
  t.equal(await tile('Queue'), '0')
})

t.test('the bundle is small, its files are named by their contents, and nothing is loaded from elsewhere', real, async (t) => {
  const context = await openContext(t, browser)
  const { page } = await openPage(t, context)
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  const response = await page.goto(address)
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  t.ok(asked.every((url) => url.startsWith(new URL('..', address).href)), asked.join(' '))
  t.match(response!.headers()['content-security-policy'], /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'$/)
  const sizes = await Promise.all(asked.map(async (url) => gzipSync(await (await page.request.get(url)).body()).length))
  t.ok(sizes.reduce((sum, size) => sum + size, 0) < 60_000, `${sizes.join(' + ')} bytes, gzipped`)
  const script = asked.find((url) => url.endsWith('.js'))!
  t.match((await page.request.get(script)).headers()['cache-control'], /immutable/)
  t.match(response!.headers()['cache-control'], 'no-cache')
  t.notMatch(readFileSync('console/index.html', 'utf8'), /<style|style=|onclick/)
})
