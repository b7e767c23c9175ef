import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import type { Test } from 'tap'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** The system's Chromium; null: there is none. */
export function findBrowser (): string | null {
  const places = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  }) ?? null
}

/** Until the test ends. */
export async function openBrowser (t: Test, executablePath: string): Promise<Browser> {
  // Its own sandbox asks for rights that containers do not give; it is shown nothing but pages of ours.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  t.teardown(async () => await browser.close())
  return browser
}
