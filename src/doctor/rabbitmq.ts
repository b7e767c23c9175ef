import amqplib, { type ChannelModel } from 'amqplib'
import { guardConnections } from '../broker/guard.js'
import { type Depth, findAlarm, inspectExchange, inspectQueue, type Standing } from '../broker/inspection.js'
import { DEAD_QUEUE, EVENTS_EXCHANGE, INTAKE_EXCHANGE, ORDERS_QUEUE, type QueueName } from '../broker/topology.js'
import type { Address } from './address.js'
import type { Notes } from './finding.js'
import { ANSWER_MS, answered } from './limits.js'
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
    const connection = await answered(open())
    notes.ok('connection', `virtual host ${address.name} at ${address.at} lets user ${address.user} in`)
    noteVersion(notes, String(connection.connection.serverProperties.version))
    for (const name of [INTAKE_EXCHANGE, EVENTS_EXCHANGE] as const) noteStanding(notes, `exchange ${name}`, await answered(inspectExchange(connection, name)))
    await noteQueue(notes, connection, ORDERS_QUEUE)
    await noteQueue(notes, connection, DEAD_QUEUE)
    await noteAlarm(notes, await answered(open()))
  } catch (error) {
    notes.trouble(explain(codeOf(error as Error), error, address, REFUSALS))
  } finally {
    cut.abort() // neither a silent nor an alarmed broker answers a close in order
  }
}

async function noteQueue (notes: Notes, connection: ChannelModel, name: QueueName): Promise<void> {
  const { standing, depth } = await answered(inspectQueue(connection, name))
  noteStanding(notes, `queue ${name}`, standing)
  if (depth) NOTE_DEPTH[name](notes, `messages in ${name}`, depth)
}

/** The queue of orders, as one finds it in a running process. */
export function noteQueueDepth (notes: Notes, depth: Depth): void {
  NOTE_DEPTH[ORDERS_QUEUE](notes, `messages in ${ORDERS_QUEUE}`, depth)
}

const NOTE_DEPTH: Record<QueueName, (notes: Notes, check: string, depth: Depth) => void> = {
  [ORDERS_QUEUE]: (notes, check, { messages, consumers }) => {
    const found = `${messages} ready, ${consumers} consumers`
    const age = messages === 0 ? '' : '; their age is not known: none is taken to look'
    if (consumers === 0) notes.add(messages === 0 ? 'warn' : 'wrong', check, `${found}: no worker takes orders${age}`, 'start a worker, or see its log and /readyz')
    else if (messages > MANY_MESSAGES) notes.warn(check, found + age, 'if it grows start more workers, and see whether Postgres is slow')
    else notes.ok(check, found + age)
  },
  [DEAD_QUEUE]: (notes, check, { messages, consumers }) => {
    const found = `${messages} ready, ${consumers} consumers`
    if (messages === 0) notes.ok(check, found)
    else notes.warn(check, `${found}: given up by the broker`, 'a worker parks them: start one, then see `comanda parked list`')
  }
}

function noteStanding (notes: Notes, check: string, standing: Standing): void {
  switch (standing.state) {
    case 'as_declared':
      return notes.ok(check, 'as this build declares it')
    case 'missing':
      return notes.warn(check, 'there is none yet', 'start any process: each declares it')
    case 'forbidden':
      return notes.ok(check, 'there; this user may not declare it, so its arguments are not compared')
    case 'different':
      return notes.wrong(check, `stands with another ${standing.argument}: ${standing.theirs}, this build declares ${standing.ours}`,
        'no process of this build takes or publishes orders there (the fallback queue takes them): empty it by the build that made it, then delete it; either process declares it anew')
  }
}

async function noteAlarm (notes: Notes, connection: ChannelModel): Promise<void> {
  try {
    const reason = await answered(findAlarm(connection))
    if (reason === null) notes.ok('alarm', 'none: messages are taken')
    else notes.wrong('alarm', `it takes no messages: ${reason}; orders go by the fallback queue`, 'free its memory or disk: `rabbitmq-diagnostics alarms` names which')
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
