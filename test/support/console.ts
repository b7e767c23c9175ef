import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { App } from './apps.js'
import { limitOf } from './limits.js'
import type { Person } from './people.js'

/** A page of the console, and whatever its browser complained of. */
export interface ConsolePage { page: Page, complaints: string[] }

/** @returns the address of the console */
export async function listening (api: App): Promise<string> {
  if (!api.server.listening) await api.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(api.server.address() as AddressInfo).port}/console/`
}

/** A page that tells of every message and every breach of the content security policy. */
export async function openPage (t: Test, context: BrowserContext): Promise<ConsolePage> {
  const page = await context.newPage()
  page.setDefaultTimeout(limitOf(15_000))
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  await page.addInitScript("addEventListener('securitypolicyviolation', (event) => console.error('violation', event.violatedDirective, event.blockedURI))")
  t.teardown(async () => await page.close())
  return { page, complaints }
}

/** Logged in, at the overview. */
export async function logIn ({ page }: ConsolePage, address: string, { nick_name, password }: Person): Promise<void> {
  await page.goto(address)
  await page.getByLabel('Name').fill(nick_name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

export async function openContext (t: Test, browser: Browser, options: { colorScheme?: 'dark' | 'light', viewport?: { width: number, height: number } } = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  t.teardown(async () => await context.close())
  return context
}
