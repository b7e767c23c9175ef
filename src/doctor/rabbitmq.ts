import amqplib, { type ChannelModel } from 'amqplib'
import { guardConnections } from '../broker/guard.js'
import { findAlarm, inspectExchange, inspectQueue, type Standing } from '../broker/inspection.js'
import { DEAD_QUEUE, INTAKE_EXCHANGE, ORDERS_QUEUE } from '../broker/topology.js'
import type { Address } from './address.js'
import type { Notes } from './finding.js'
import { ANSWER_MS, inTime } from './limits.js'
import { type Explain, explain } from './trouble.js'
import { noteVersion } from './versions.js'

/** More than workers hold and work off in a moment. */
const MANY_MESSAGES = 10_000

const REFUSALS: Record<string, Explain> = {
  NOT_OPENED: ({ at, user, name, variable }) => ({
    found: `${at} knows user ${user} and does not open virtual host ${name}: there is none of this name, the user may not enter it, or it has all its connections`,
    advice: `correct the virtual host in ${variable}, or see \`rabbitmqctl list_vhosts\` and \`rabbitmqctl list_permissions -p ${name}\``
  })
}

/** @param notes is added to as answers come, so that what was found before a silence is kept */
export async function examineRabbitmq (notes: Notes, { url, address }: { url: string, address: Address }): Promise<void> {
  guardConnections()
  const cut = new AbortController()
  const socket = { noDelay: true, timeout: ANSWER_MS, signal: cut.signal }
  const open = async () => await amqplib.connect(url, socket)
  try {
    const connection = await inTime(open())
    notes.ok('connection', `virtual host ${address.name} at ${address.at} lets user ${address.user} in`)
    noteVersion(notes, String(connection.connection.serverProperties.version))
    await noteExchange(notes, connection)
    await noteOrders(notes, connection)
    await noteDead(notes, connection)
    await noteAlarm(notes, await inTime(open()))
  } catch (error) {
    notes.trouble(explain(codeOf(error as Error), error, address, REFUSALS))
  } finally {
    cut.abort() // neither a silent nor an alarmed broker answers a close in order
  }
}

async function noteExchange (notes: Notes, connection: ChannelModel): Promise<void> {
  const standing = await inTime(inspectExchange(connection))
  if (standing.state === 'as_declared') notes.ok(`exchange ${INTAKE_EXCHANGE}`, 'as this build declares it')
  else noteStanding(notes, `exchange ${INTAKE_EXCHANGE}`, standing)
}

async function noteOrders (notes: Notes, connection: ChannelModel): Promise<void> {
  const check = `queue ${ORDERS_QUEUE}`
  const { standing, depth } = await inTime(inspectQueue(connection, ORDERS_QUEUE))
  noteStanding(notes, check, standing)
  if (!depth) return
  const found = `${depth.messages} ready, ${depth.consumers} consumers`
  const age = depth.messages === 0 ? '' : '; their age is not known: none is taken to look'
  if (depth.consumers === 0) notes.add(depth.messages === 0 ? 'warn' : 'wrong', check, `${found}: no worker takes orders${age}`, 'start a worker, or see its log and /readyz')
  else if (depth.messages > MANY_MESSAGES) notes.warn(check, found + age, 'if it grows start more workers, and see whether Postgres is slow')
  else notes.ok(check, found + age)
}

async function noteDead (notes: Notes, connection: ChannelModel): Promise<void> {
  const check = `queue ${DEAD_QUEUE}`
  const { standing, depth } = await inTime(inspectQueue(connection, DEAD_QUEUE))
  noteStanding(notes, check, standing)
  if (!depth) return
  const found = `${depth.messages} ready, ${depth.consumers} consumers`
  if (depth.messages === 0) notes.ok(check, found)
  else notes.warn(check, `${found}: given up by the broker`, 'a worker parks them: start one, then see `comanda parked list`')
}

function noteStanding (notes: Notes, check: string, standing: Standing): void {
  switch (standing.state) {
    case 'as_declared':
      return
    case 'missing':
      return notes.warn(check, 'there is none yet', 'start an api or worker: either declares it')
    case 'forbidden':
      return notes.wrong(check, 'this user may not declare it, and api and worker must', 'grant the user configure, write and read on ^comanda[.] in this virtual host')
    case 'different':
      return notes.wrong(check, `stands with another ${standing.argument}: ${standing.theirs}, this build declares ${standing.ours}`,
        'no process of this build takes or publishes orders there (the outbox takes them): empty it by the build that made it, then delete it; either process declares it anew')
  }
}

async function noteAlarm (notes: Notes, connection: ChannelModel): Promise<void> {
  try {
    const reason = await inTime(findAlarm(connection))
    if (reason === null) notes.ok('alarm', 'none: messages are taken')
    else notes.wrong('alarm', `it takes no messages: ${reason}; orders go by the outbox`, 'free its memory or disk: `rabbitmq-diagnostics alarms` names which')
  } catch (error) {
    const { code } = error as { code?: number | string }
    if (code === 'SILENCE') throw error
    notes.warn('alarm', `not known: a message is published to tell, and ${code === 403 ? 'this user may not publish' : 'there is no exchange to take it'}`, 'see the findings above')
  }
}

/** amqplib tells what happens before a connection is open by text alone. */
function codeOf ({ message, code }: Error & { code?: unknown }): string | undefined {
  if (/ACCESS.REFUSED/.test(message)) return 'WRONG_PASSWORD'
  if (/Expected ConnectionOpenOk/.test(message)) return 'NOT_OPENED'
  if (/ETIMEDOUT/.test(message)) return 'SILENCE'
  if (/closed abruptly|Unexpected close/.test(message)) return 'CLOSED'
  return code === undefined ? undefined : String(code)
}
