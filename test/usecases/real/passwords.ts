import Fastify from 'fastify'
import type { Test } from 'tap'
import { passwordsPlugin } from '../../../src/plugins/passwords.js'
import type { OpenedPasswords } from '../contracts/passwords.js'

export async function openArgon2 (t: Test): Promise<OpenedPasswords> {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(passwordsPlugin)
  return {
    passwords: app.passwords,
    /** Milliseconds, the least of several: whatever else the machine does only adds to it. */
    cost: async (work) => {
      let least = Infinity
      for (let time = 0; time < 10; time++) {
        const started = performance.now()
        await work()
        least = Math.min(least, performance.now() - started)
      }
      return least
    }
  }
}
