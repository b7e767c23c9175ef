import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import type { Test } from 'tap'
import { freePort } from '../../local/ports.js'
import { findRedis } from '../../local/redis.js'
import { freshFolder } from './folders.js'
import { limitOf } from './limits.js'

/** A server with settings that only its start takes. @returns its URL */
export async function ownRedis (t: Test, ...settings: string[]): Promise<string> {
  const port = await freePort()
  const folder = freshFolder(t)
  const server = spawn(findRedis(process.env)!, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...settings], { stdio: ['ignore', 'pipe', 'ignore'], cwd: folder })
  t.teardown(async () => {
    server.kill('SIGKILL')
    await once(server, 'exit')
  })
  for await (const [line] of on(server.stdout, 'data', { signal: AbortSignal.timeout(limitOf(10_000)) })) if (String(line).includes('Ready to accept connections')) break
  return `redis://127.0.0.1:${port}`
}
