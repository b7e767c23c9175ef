// npm run picture -- <address of the api> <operator's name> <password>: makes docs/console.png, the overview of a service that has
// something to do. It places orders there for a minute and a half, as a customer whom it registers: give it a service of your own.
import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { chromium } from 'playwright-core'

const [address, operator, password] = process.argv.slice(2)
if (address === undefined || operator === undefined || password === undefined) throw new Error('give the address of the api, an operator\'s name and password')
const url = (path: string): string => new URL(path, address).href
const SECONDS = 90

async function send<Answer> (path: string, body: object, token?: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  return await fetch(url(path), { method: 'POST', headers, body: JSON.stringify(body) }).then(async (answer) => await answer.json() as Answer)
}

/** A CPF with valid check digits. */
function newCpf (): string {
  const digits = Array.from({ length: 9 }, () => randomInt(10))
  for (const count of [9, 10]) {
    const sum = digits.slice(0, count).reduce((all, digit, at) => all + digit * (count + 1 - at), 0)
    digits.push((sum * 10) % 11 % 10)
  }
  return digits.join('')
}

async function placeForAWhile (token: string, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const batch = Array.from({ length: Math.round(60 + 40 * Math.sin(second / 9) + randomInt(15)) }, () => ({ item_description: 'Café especial', item_quantity: 1 + randomInt(3), item_price: 1990 }))
    await send('orders/batch', batch, token)
    await wait(1000)
  }
}

const nick_name = `picture${randomInt(1e9)}`
await send('users', { nick_name, password: 'nine quiet lanterns', full_name: 'Ana', cpf: newCpf(), email: `${nick_name}@example.com`, phone_number: '+55 11 91234-5678' })
const { access_token: token } = await send<{ access_token: string }>('auth/token', { nick_name, password: 'nine quiet lanterns' })
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 640 }, colorScheme: 'light' })
  await page.goto(url('console/'))
  await page.getByLabel('Name').fill(operator)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await placeForAWhile(token, SECONDS)
  await page.screenshot({ path: 'docs/console.png' })
} finally {
  await browser.close()
}
