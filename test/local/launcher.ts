// A launcher of its own process, to be killed: finds services, prints them as one line of JSON, stays.
import { findServices, type FindOptions } from '../../local/services.js'

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<FindOptions, 'say'>
findServices({ ...options, say: () => {} }).then(({ postgres, redis, rabbitmq }) => {
  process.stdout.write(JSON.stringify({ postgres, redis, rabbitmq }) + '\n')
  setInterval(() => {}, 60_000)
}, error => {
  process.stderr.write(String(error))
  process.exit(1)
})
