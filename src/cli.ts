#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'
import { runApi } from './commands/api.js'
import { runDev } from './commands/dev.js'
import { runMigrate } from './commands/migrate.js'
import { runWorker } from './commands/worker.js'

const program = new Command('comanda')
  .description('An order service that never loses an order and never books one twice.')

program.command('api').description('serve HTTP and publish order events').action(async () => await runApi(process.env))

program.command('worker')
  .description('consume order events and persist them')
  .option('--once', 'work off the queue and the outbox, then exit', false)
  .option('--limit <seconds>', 'with --once: exit with code 1 when it takes longer', seconds, 60)
  .action(async ({ once, limit }: { once: boolean, limit: number }) => {
    process.exitCode = await runWorker(process.env, { once, limitMs: limit * 1000 })
  })

program.command('migrate').description('create or change the tables, then exit').action(async () => await runMigrate(process.env))

program.command('dev').description('run api and worker over services it finds or starts').action(async () => {
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
  const { name, message } = error as Error
  console.error(name === 'ConfigError' ? message : `comanda: ${message || String((error as { code?: string }).code)}`)
  process.exit(1)
}
