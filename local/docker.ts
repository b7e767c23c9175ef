import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { postgresAnswers, rabbitAnswers, redisAnswers } from './answers.js'
import { findCommand, runCommand, type CommandResult } from './command.js'
import { until } from './processes.js'
import type { FindOptions, LocalService, ServiceName } from './service.js'
import { keptPassword, makeFolder } from './state-folder.js'

interface Recipe {
  readonly title: string
  readonly image: string
  readonly port: number
  /** Where the image keeps what has to survive. */
  readonly data: string
  readonly secret: string
  readonly options: readonly string[]
  readonly command: readonly string[]
  url (password: string, port: number): string
  answers (url: string, limitMs: number): Promise<boolean>
}

/** The same images as docker-compose.yml. The password travels in the environment: `-e NAME` alone keeps it out of ps. */
const recipes: Record<ServiceName, Recipe> = {
  postgres: {
    title: 'Postgres',
    image: 'postgres:18',
    port: 5432,
    data: '/var/lib/postgresql',
    secret: 'POSTGRES_PASSWORD',
    options: ['-e', 'POSTGRES_USER=comanda'],
    command: [],
    url: (password, port) => `postgres://comanda:${password}@127.0.0.1:${port}/comanda`,
    answers: postgresAnswers
  },
  redis: {
    title: 'Redis',
    image: 'redis:8',
    port: 6379,
    data: '/data',
    secret: 'REDIS_PASSWORD',
    options: [],
    command: ['sh', '-c', 'exec redis-server --requirepass "$REDIS_PASSWORD" --appendonly yes --save ""'],
    url: (password, port) => `redis://:${password}@127.0.0.1:${port}/0`,
    answers: redisAnswers
  },
  rabbitmq: {
    title: 'RabbitMQ',
    image: 'rabbitmq:4',
    port: 5672,
    data: '/var/lib/rabbitmq',
    secret: 'RABBITMQ_DEFAULT_PASS',
    // the data folder is named after the host: without a fixed name a new container loses the queue
    options: ['--hostname', 'rabbitmq', '-e', 'RABBITMQ_DEFAULT_USER=comanda'],
    command: [],
    url: (password, port) => `amqp://comanda:${password}@127.0.0.1:${port}`,
    answers: rabbitAnswers
  }
}

const firstLine = (text: string) => text.trim().split('\n')[0] ?? ''

interface Container extends Recipe {
  readonly name: string
  readonly password: string
  docker (args: readonly string[], limitMs: number): Promise<CommandResult>
}

async function removeContainer ({ name, docker }: Container): Promise<void> {
  await docker(['stop', '-t', '15', name], 30_000)
  await docker(['rm', '--force', '--volumes', name], 30_000)
}

/** Starts the container and gives back its URL once it answers. Throws when the engine refuses or 60 s have passed. */
async function startContainer (container: Container, keep: boolean): Promise<string> {
  const { name, docker, image, port, secret, password, url, answers } = container
  const volume = keep ? ['--volume', `${name}:${container.data}`] : []
  const args = ['run', '--detach', '--name', name, '--publish', `127.0.0.1::${port}`, ...volume, '-e', secret, ...container.options, image, ...container.command]
  const started = await docker(args, 600_000)
  if (!started.ok) throw new Error(`docker run ${image}: ${firstLine(started.stderr)}`)
  const published = await docker(['port', name, `${port}/tcp`], 10_000)
  const hostPort = Number(/:(\d+)\s*$/m.exec(published.stdout)?.[1])
  if (!published.ok || !hostPort) throw new Error(`docker port ${name}: ${firstLine(published.stderr)}`)
  const at = url(password, hostPort)
  await until(`${image} does not answer`, 60_000, () => answers(at, 1000))
  return at
}

/**
 * The service in a container, published on a loopback port; a sentence when no Docker engine answers.
 * For 'start' the data lives in a named volume and survives the container. Throws when an engine answers but cannot run it.
 */
export async function dockerService (service: ServiceName, options: FindOptions): Promise<LocalService | string> {
  const command = findCommand(options.env, 'docker')
  if (command === null) return 'no Docker'
  const engine = await runCommand(command, ['info'], { env: options.env, limitMs: 3000 })
  if (!engine.ok) return 'no Docker engine answers'
  const recipe = recipes[service]
  const password = keptPassword(makeFolder(join(options.stateDir, service)))
  const name = `comanda-${createHash('sha256').update(options.stateDir).digest('hex').slice(0, 8)}-${service}`
  const env = { ...options.env, [recipe.secret]: password }
  const container = { ...recipe, name, password, docker: (args: readonly string[], limitMs: number) => runCommand(command, args, { env, limitMs }) }
  await removeContainer(container) // left behind by a killed launcher
  options.say(`${recipe.title}: starting the container ${name} of ${recipe.image}`)
  try {
    const url = await startContainer(container, options.purpose === 'start')
    const control = { command, args: ['exec', name, 'rabbitmqctl'], env: options.env, port: recipe.port }
    return {
      name: service,
      url,
      how: `${recipe.title}: ${recipe.image} in the Docker container ${name}, port ${new URL(url).port}`,
      ours: true,
      ...(service === 'rabbitmq' ? { control } : {}),
      stop: () => removeContainer(container)
    }
  } catch (error) {
    await removeContainer(container)
    throw error
  }
}
