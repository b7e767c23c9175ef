import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { findCommand, runCommand } from './command.js'
import type { Env, FindOptions } from './service.js'

/** Debian asks it before starting a service: without it the package would start a node on the default port. */
const policy = '/usr/sbin/policy-rc.d'

let queue: Promise<unknown> = Promise.resolve()

const atTerminal = () => process.stdin.isTTY && process.stdout.isTTY

/** Why apt must not be used without asking; null when it may. A machine with CI=true or no terminal is thrown away. */
export function aptRefusal (env: Env, isRoot: boolean): string | null {
  if ((env.COMANDA_NO_INSTALL ?? '') !== '') return 'COMANDA_NO_INSTALL forbids apt'
  if (!isRoot) return 'apt needs root'
  if (!existsSync('/etc/debian_version') || findCommand(env, 'apt-get') === null) return 'no apt'
  return null
}

async function agreed (name: string, env: Env): Promise<boolean> {
  if (env.CI === 'true' || !atTerminal()) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // reading a line, it takes Ctrl-C for itself, and no other process would hear of it
  terminal.once('SIGINT', () => {
    terminal.write('\n')
    process.kill(process.pid, 'SIGINT')
  })
  try {
    return /^y/i.test(await terminal.question(`Install ${name} on this machine with apt? [y/N] `))
  } finally {
    terminal.close()
  }
}

async function install (name: string, env: Env): Promise<string | null> {
  const apt = findCommand(env, 'apt-get') ?? 'apt-get'
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, limitMs: 300_000 }
  const args = ['install', '--yes', '--no-install-recommends', name]
  const ownPolicy = !existsSync(policy)
  if (ownPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const first = await runCommand(apt, args, options)
    if (first.ok) return null
    // a fresh machine has no package lists yet
    await runCommand(apt, ['update'], options)
    const second = await runCommand(apt, args, options)
    return second.ok ? null : `apt-get install ${name}: ${second.stderr.trim().split('\n').at(-1) ?? 'failed'}`
  } finally {
    if (ownPolicy) rmSync(policy, { force: true })
  }
}

/** Installs a Debian package; null when it is there, else a sentence saying why not. One at a time: apt has a lock. */
export function aptInstall (name: string, options: FindOptions): Promise<string | null> {
  const refusal = aptRefusal(options.env, process.getuid?.() === 0)
  if (refusal !== null) return Promise.resolve(refusal)
  const turn = queue.then(async () => {
    if (!await agreed(name, options.env)) return 'apt was not wanted'
    options.say(`installing ${name} with apt`)
    return await install(name, options.env)
  })
  queue = turn.catch(() => {})
  return turn
}
