#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'

const program = new Command('comanda').description('An order service that never loses an order and never books one twice.')

// Each command is loaded when it is asked for: the image holds no `dev`, and none waits for the others' modules.
program.command('api').description('serve HTTP and publish order events').action(async () => {
  const { runApi } = await import('./commands/api.js')
  await runApi(process.env)
})

program.command('worker')
  .description('consume order events and persist them')
  .option('--once', 'work off the queue and the outbox, then exit', false)
  .option('--limit <seconds>', 'with --once: exit with code 1 when it takes longer', seconds, 60)
  .action(async ({ once, limit }: { once: boolean, limit: number }) => {
    const { runWorker } = await import('./commands/worker.js')
    process.exitCode = await runWorker(process.env, { once, limitMs: limit * 1000 })
  })

program.command('migrate').description('create or change the tables, then exit').action(async () => {
  const { runMigrate } = await import('./commands/migrate.js')
  await runMigrate(process.env)
})

program.command('users').description('manage users')
  .command('promote').argument('<nick_name>').description('make a user an operator').action(async (nickName: string) => {
    const { runPromote } = await import('./commands/users.js')
    process.exitCode = await runPromote(process.env, nickName)
  })

program.command('health').description('exit with code 0 when the process that runs here is ready').action(async () => {
  const { runHealth } = await import('./commands/health.js')
  process.exitCode = await runHealth(process.env)
})

program.command('dev').description('run api and worker over services it finds or starts').action(async () => {
  const { runDev } = await import('./commands/dev.js')
  process.exitCode = await runDev(process.env)
})

function seconds (text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('a number of seconds above 0')
  return value
}

try {
  await program.parseAsync()
} catch (error) {
  const { name, message, code } = error as Error & { code?: string }
  if (name === 'ConfigError') console.error(message)
  else if (code === 'ERR_MODULE_NOT_FOUND') console.error(`comanda: this command is not part of this installation (${message})`)
  else console.error(`comanda: ${message || code || name}`)
  process.exit(1)
}
