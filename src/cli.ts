#!/usr/bin/env node
import { userInfo } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { ActionsOptions } from './commands/actions.js'
import type { LogsOptions } from './commands/logs.js'
import type { ReplayOptions } from './commands/webhooks.js'
import { ACTIONS } from './users/actions.js'

const program = new Command('comanda').description('An order service that never loses an order and never books one twice.')

// Each command is loaded when it is asked for: none waits for the others' modules.
program.command('api').description('serve HTTP and publish order events').action(async () => {
  const { runApi } = await import('./commands/api.js')
  await runApi(process.env)
})

program.command('worker')
  .description('consume order events and write them to Postgres')
  .option('--once', 'drain the queues and exit', false)
  .option('--limit <seconds>', 'with --once: exit with code 1 if it takes longer', seconds, 60)
  .action(async ({ once, limit }: { once: boolean, limit: number }) => {
    const { runWorker } = await import('./commands/worker.js')
    process.exitCode = await runWorker(process.env, { once, limitMs: limit * 1000 })
  })

const relay = program.command('relay').description('tell others what happened: publish the feed of settled events to the exchange `comanda.events`')
  .option('--once', 'publish what there is and exit', false)
  .option('--limit <seconds>', 'with --once: exit with code 1 if it takes longer', seconds, 60)
  .action(async ({ once, limit }: { once: boolean, limit: number }) => {
    const { runRelay } = await import('./commands/relay.js')
    process.exitCode = await runRelay(process.env, { once, limitMs: limit * 1000 })
  })
relay.command('status').description('how far the exchange has been told, and by which process')
  .option('--json', 'one JSON object per line', false)
  .action(async (options: { json: boolean }) => {
    const { runRelayStatus } = await import('./commands/relay.js')
    process.exitCode = await runRelayStatus(process.env, options)
  })
relay.command('rewind').description('have the exchange told again what stands behind a position, or skip what stands before it')
  .requiredOption('--to <position>', 'a position of the feed; 0: from the beginning', position)
  .option('--by <name>', 'the operator who does it', userInfo().username)
  .action(async (options: { to: number, by: string }) => {
    const { runRelayRewind } = await import('./commands/relay.js')
    process.exitCode = await runRelayRewind(process.env, options)
  })

program.command('migrate').description('create or update the tables, then exit').action(async () => {
  const { runMigrate } = await import('./commands/migrate.js')
  await runMigrate(process.env)
})

const users = program.command('users').description('manage users')
const onUser = (name: string, description: string): Command => users.command(name)
  .argument('<user>', 'a user_id, or a nick_name (digits alone are a user_id)').description(description)
  .option('--yes', 'do not ask whether a nick_name is the one that is meant', false)
  .option('--by <name>', 'the administrator who does it', userInfo().username)
onUser('promote', 'make a user an operator').action(async (user: string, options: { yes: boolean, by: string }) => {
  const { runPromote } = await import('./commands/users.js')
  process.exitCode = await runPromote(process.env, user, options)
})
onUser('demote', 'take the role of operator from a user').action(async (user: string, options: { yes: boolean, by: string }) => {
  const { runDemote } = await import('./commands/users.js')
  process.exitCode = await runDemote(process.env, user, options)
})
onUser('end-sessions', 'end every session of a user').action(async (user: string, options: { yes: boolean, by: string }) => {
  const { runEndSessions } = await import('./commands/users.js')
  process.exitCode = await runEndSessions(process.env, user, options)
})

program.command('sweep').description('cancel orders that stayed unpaid for STALE_AFTER, once; with STALE_AFTER workers do so by themselves')
  .option('--dry-run', 'only count them', false)
  .option('--by <name>', 'the operator who does it', userInfo().username)
  .action(async (options: { dryRun: boolean, by: string }) => {
    const { runSweep } = await import('./commands/sweep.js')
    process.exitCode = await runSweep(process.env, options)
  })

program.command('actions').description('look up who did what to whom').command('list').description('actions, newest first')
  .option('--actor <actor>', 'a user_id, or `user:<id>`, `operator:<id>`, `cli:<name>`')
  .option('--target <id>', 'the id of a user, a parked event, a webhook, a job or a sweep')
  .addOption(new Option('--action <action>', 'of this kind only').choices(ACTIONS))
  .option('--since <moment>', 'ISO 8601, such as 2026-11-23 or 2026-11-23T12:00:00Z', moment)
  .option('--limit <number>', 'maximum number to list', count, 100)
  .option('--json', 'one JSON object per line', false)
  .action(async (options: ActionsOptions) => {
    const { runActionsList } = await import('./commands/actions.js')
    process.exitCode = await runActionsList(process.env, options)
  })

const parked = program.command('parked').description('inspect, replay or discard events that could not be applied')
parked.command('list').description('parked events, newest first')
  .option('--all', 'include those replayed or discarded', false)
  .option('--limit <number>', 'maximum number to list', count, 100)
  .option('--json', 'one JSON object per line, including the bytes', false)
  .action(async (options: { all: boolean, limit: number, json: boolean }) => {
    const { runParkedList } = await import('./commands/parked.js')
    process.exitCode = await runParkedList(process.env, options)
  })
parked.command('show').argument('<id>', 'an id, or the beginning of one').description('one parked event with its headers, its bytes and what operators did with it').action(async (id: string) => {
  const { runParkedShow } = await import('./commands/parked.js')
  process.exitCode = await runParkedShow(process.env, id)
})
parked.command('replay').argument('<id...>').description('hand them to the fallback queue to be booked again').option('--by <name>', 'the operator who does it', userInfo().username)
  .option('--unsigned', 'replay also what carries no signature of ours: whoever could write to the broker may have written it', false)
  .action(async (ids: string[], options: { by: string, unsigned: boolean }) => {
    const { runParkedReplay } = await import('./commands/parked.js')
    process.exitCode = await runParkedReplay(process.env, ids, options)
  })
parked.command('discard').argument('<id...>').description('mark them as given up; their bytes are kept').option('--by <name>', 'the operator who does it', userInfo().username)
  .action(async (ids: string[], { by }: { by: string }) => {
    const { runParkedDiscard } = await import('./commands/parked.js')
    process.exitCode = await runParkedDiscard(process.env, ids, by)
  })

const webhooks = program.command('webhooks').description('see where users are called when something happens, and care for it')
webhooks.command('list').description('webhooks, newest first').option('--json', 'one JSON object per line', false).action(async (options: { json: boolean }) => {
  const { runWebhooksList } = await import('./commands/webhooks.js')
  process.exitCode = await runWebhooksList(process.env, options)
})
webhooks.command('show').argument('<webhook_id>', 'a UUID', uuid).description('one webhook with its latest deliveries').action(async (id: string) => {
  const { runWebhooksShow } = await import('./commands/webhooks.js')
  process.exitCode = await runWebhooksShow(process.env, id)
})
const onWebhook = (name: string, description: string): Command => webhooks.command(name).argument('<webhook_id>', 'a UUID', uuid).description(description)
  .option('--by <name>', 'the operator who does it', userInfo().username)
onWebhook('test', 'send a test call').action(async (id: string, options: { by: string }) => {
  const { runWebhooksTest } = await import('./commands/webhooks.js')
  process.exitCode = await runWebhooksTest(process.env, id, options)
})
onWebhook('disable', 'let its deliveries wait').action(async (id: string, options: { by: string }) => {
  const { runWebhooksTurn } = await import('./commands/webhooks.js')
  process.exitCode = await runWebhooksTurn(process.env, id, false, options)
})
onWebhook('enable', 'deliver what waited, and go on').action(async (id: string, options: { by: string }) => {
  const { runWebhooksTurn } = await import('./commands/webhooks.js')
  process.exitCode = await runWebhooksTurn(process.env, id, true, options)
})
onWebhook('replay', 'deliver again: one delivery, or a part of the feed')
  .option('--delivery <id>', 'this one', position)
  .option('--after <position>', 'events behind this position; 0: from the beginning', position)
  .option('--before <position>', 'events before this position; missing: up to now', position)
  .action(async (id: string, options: ReplayOptions) => {
    const { runWebhooksReplay } = await import('./commands/webhooks.js')
    process.exitCode = await runWebhooksReplay(process.env, id, options)
  })

program.command('logs').argument('[file...]', 'log files of api and worker, merged or separate; standard input if there are none')
  .description('read log lines: follow one order or request, find what was slow, count what failed')
  .option('--order <order_id>', 'trace this order across api and worker, in order of time', uuid)
  .option('--request <request_id>', 'what this request did, in order of time')
  .option('--slow <duration>', 'requests and batches that took this long or longer, such as 100ms, 1.5s, 2m', duration)
  .addOption(new Option('--errors', 'count warnings and errors by reason, with an example of each').default(false).conflicts('follow'))
  .option('--follow', 'keep reading what is written from now on', false)
  .option('--json', 'one JSON object per line', false)
  .action(async (files: string[], options: LogsOptions) => {
    const { runLogs } = await import('./commands/logs.js')
    process.exitCode = await runLogs(files, { ...options, colours: process.stdout.isTTY && !process.env.NO_COLOR })
  })

program.command('health').description('exit with code 0 if the process in this environment is ready').action(async () => {
  const { runHealth } = await import('./commands/health.js')
  process.exitCode = await runHealth(process.env)
})

program.command('doctor').description('check the environment and the services, and say what to do about each problem')
  .option('--json', 'one JSON object', false)
  .addHelpText('after', `
Looks at the environment, Postgres, Redis and RabbitMQ, and changes nothing. Run it in the environment of an api or a worker.
Exit code: 0 all is well, 1 something is wrong, 2 there are warnings only. Takes at most 10 seconds.`)
  .action(async (options: { json: boolean }) => {
    const { runDoctor } = await import('./commands/doctor.js')
    process.exitCode = await runDoctor(process.env, options)
  })

function seconds (text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('must be a number of seconds above 0')
  return value
}

function uuid (text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new InvalidArgumentError('must be a UUID')
  return text.toLowerCase()
}

function duration (text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  const ms = { ms: 1, s: 1000, m: 60_000 }[unit]
  if (ms === undefined) throw new InvalidArgumentError('a duration is a number and its unit, such as 100ms, 1.5s, 2m')
  return Number(number) * ms
}

function moment (text: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError('must be a moment in ISO 8601')
  return new Date(text).toISOString()
}

function position (text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw new InvalidArgumentError('must be a whole number, 0 or above')
  return Number(text)
}

function count (text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0')
  return Number(text)
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
