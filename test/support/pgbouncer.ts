import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { postgresAnswers } from '../../local/answers.js'
import { findCommand } from '../../local/command.js'
import { freePort } from '../../local/ports.js'
import { killTree, spawnServer } from '../../local/processes.js'
import { serverUser } from '../../local/postgres-binaries.js'
import { untilReady } from '../../local/running-server.js'
import { freshFolder } from './folders.js'
import { limitOf } from './limits.js'

const command = findCommand({ PATH: `${process.env.PATH}:/usr/sbin` }, 'pgbouncer')

/** Options of a test that needs it. */
export const needsPgbouncer = command === null ? { skip: 'no pgbouncer on this machine' } : {}

/**
 * A PgBouncer in transaction mode with two connections of the server, before the database of this URL, until the test ends.
 * @param ignored startup parameters that it takes and drops
 * @returns the URL that leads through it
 */
export async function startPgbouncer (t: Test, url: string, ignored = ''): Promise<string> {
  const folder = freshFolder(t)
  const port = await freePort()
  const target = new URL(url)
  const log = join(folder, 'log')
  const server = [`host=${target.hostname}`, `port=${target.port || 5432}`, `user=${decodeURIComponent(target.username)}`, ...(target.password ? [`password=${decodeURIComponent(target.password)}`] : [])]
  writeFileSync(join(folder, 'pgbouncer.ini'), [
    '[databases]', `* = ${server.join(' ')}`,
    '[pgbouncer]', 'listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', 'auth_type = any', 'pool_mode = transaction', 'default_pool_size = 2',
    ...(ignored ? [`ignore_startup_parameters = ${ignored}`] : []), ''
  ].join('\n'))
  chmodSync(join(folder, 'pgbouncer.ini'), 0o644)
  const pid = spawnServer({ command: command!, args: [join(folder, 'pgbouncer.ini')], env: {}, cwd: folder, log, user: serverUser() })
  t.teardown(async () => await killTree(pid))
  const through = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href
  await untilReady({ what: 'PgBouncer', pid, log, limitMs: limitOf(20_000), answers: async () => await postgresAnswers(through, 1000) })
  return through
}
